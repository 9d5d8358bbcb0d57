"""Single persons in text that runs on: stories, notes, comments of cells.

Belongs here: finding names with dates, birth dates, ids, phone numbers, mail and street addresses in a text.
Does not: tables (grids.py), or what is done about a hit (a question about a story, the refusal of a file).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dagster_project.lib.intake.reading.person_level import shapes

ID_SAID = re.compile(
    r"\b(?:student|pupil|child|learner|participant|client|case|state|local|alumno|estudiante|élève|eleve|aluno|elèv)"
    r"(?:'s|’s)?[ _]*(?:id|number|no\.?|nr\.?|#|identifier|n[úu]mero)\b\.? ?(?:is|es|est|:|=|#)? ?"
    r"(?=[A-Z0-9-]*\d{3})[A-Z]{0,4}-?[\dA-Z-]{4,}\b|\b(?:sasid|lasid|ssid|curp)\b\W{0,3}(?=\w*\d{3})\w{5,}",
    re.IGNORECASE,
)
BIRTH_SAID = re.compile(
    r"\b(?:born|dob|d\.o\.b\.?|birth ?date|date of birth|birthday|fecha de nacimiento|f\. ?nac\.?|naci[óo]|nacid[oa]|"
    r"née?|date de naissance|data de nascimento|nascid[oa]|ngày sinh|sinh ngày|dat nesans|fèt)(?!\w)"
    rf"[^.;\n]{{0,30}}?(?P<date>{shapes.DATE.pattern})",
    re.IGNORECASE,
)
SSN_SAID = re.compile(
    r"\b(?:ssn|s\.s\.n\.?|social security|soc\.? sec\.?|seguro social|sekirite sosyal)\b[^\d\n]{0,25}"
    r"\d{3}[- ]?\d{2}[- ]?\d{4}\b",
    re.IGNORECASE,
)
CAPITAL = r"[^\W\d_a-zà-öø-ÿ](?:[^\W\d_]|['’\-](?=[^\W\d_]))+"
NAME_IN_TEXT = re.compile(rf"\b{CAPITAL}(?: (?:[A-Z]\.|de la|de|del|la|van|von|dos|da|{CAPITAL})){{0,3}}")
OFFICE = re.compile(
    r"(?:\b(?:dr|superintendent|principal|mayor|governor|senator|president|director|professor|judge|commissioner|"
    r"reverend|rev|pastor|teacher|coach|councilmember|secretary|chair|alcaldesa?|directora?|maestr[oa])\.?,? )$",
    re.IGNORECASE,
)
BEFORE = 30
SAME_SENTENCE = re.compile(r"(?<=[a-zà-ÿ\d)])[.!?](?=\s+[^\W\d_a-z])|\n{2,}")
AGE = re.compile(r"\b(?:age[d]? \d{1,2}|\d{1,2}[ -]years?[ -]old|de \d{1,2} años|\d{1,2} ans|\d{1,2} anos)\b", re.I)


@dataclass(frozen=True)
class TextHit:
    """A place in a text that may name or reach one person: characters `start` to `end`, counted from 0."""

    kind: str
    start: int
    end: int


def persons_in_text(text: str) -> list[TextHit]:
    """Where a text may name or reach single persons, in the order of the text; empty if nowhere.

    Kinds: `social_security_number`, `birth_date`, `person_id`, `phone`, `mail`, `street` and `name_with_date` (a
    person's name in one sentence with a full date or an age). A name alone is no hit: stories thank those who told
    them. Names after an office (Mayor, Dr.) are of adults in public.
    """
    found = [TextHit(kind, *match.span()) for kind, pattern in PATTERNS.items() for match in pattern.finditer(text)]
    found += _named_with_date(text)
    return sorted(_without_overlap(found), key=lambda hit: (hit.start, hit.end))


def said(text: str) -> str | None:
    """The sign of a text that tells one person's number, birth date or id in words, or None."""
    if not any(sign.isdigit() for sign in text):
        return None
    for sign, pattern in (("ssn_said", SSN_SAID), ("birth_said", BIRTH_SAID), ("id_said", ID_SAID)):
        if pattern.search(text):
            return sign
    return None


PATTERNS = {
    "social_security_number": re.compile(
        f"{SSN_SAID.pattern}|(?:{shapes.SOCIAL_SECURITY.pattern})".replace(r"\1", r"[- ]"), re.I
    ),
    "birth_date": BIRTH_SAID,
    "person_id": ID_SAID,
    "mail": shapes.EMAIL,
    "phone": shapes.PHONE,
    "street": shapes.STREET,
}


def _without_overlap(hits: list[TextHit]) -> list[TextHit]:
    """Of hits of the same characters the first kind: a number said to be a social security number is no phone."""
    kept: list[TextHit] = []
    for hit in hits:
        if not any(hit.start < other.end and other.start < hit.end for other in kept):
            kept.append(hit)
    return kept


def _named_with_date(text: str) -> Iterator[TextHit]:
    start = 0
    for end in [*(match.end() for match in SAME_SENTENCE.finditer(text)), len(text)]:
        sentence = text[start:end]
        if shapes.DATE.search(sentence) or AGE.search(sentence):
            for match in NAME_IN_TEXT.finditer(sentence):
                words = match[0].split()
                first = next((i for i, word in enumerate(words) if shapes.is_given(word)), None)
                before = sentence[max(0, match.start() - BEFORE) : match.start()]
                if first is not None and not OFFICE.search(f"{before}{' '.join(words[:first])} "):
                    at = start + match.start() + match[0].index(words[first])
                    yield TextHit("name_with_date", at, start + match.end())
        start = end
