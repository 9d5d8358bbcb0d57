"""Stories and notes are read for single persons; what they say in general is no hit.

Belongs here: the kinds of hits in running text, and where they stand.
Does not: what is asked of a member about a story, tables (test_person_level_corpus.py).
"""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.lib.intake.reading.person_level import persons_in_text


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Ana Inventado was born on March 4, 2015 and reads now.", "birth_date"),
        ("Her DOB: 03/04/2015.", "birth_date"),
        ("Ana nació el 4 de marzo de 2015.", "birth_date"),
        ("Née le 04/03/2015 à Ville.", "birth_date"),
        ("On 4/3/2024 Ana Inventado read her first book.", "name_with_date"),
        ("Marcus Nowhereson, 8 years old, loves maths.", "name_with_date"),
        ("Look up student ID 4471923 in the system.", "person_id"),
        ("Her SSN is 123-45-6789.", "social_security_number"),
        ("The number 123-45-6789 was on the form.", "social_security_number"),
        ("Call her mother at (555) 201-3344.", "phone"),
        ("Call 555-201-3344 today.", "phone"),
        ("Write to ana.inventado@example.org about it.", "mail"),
        ("They live at 12 Made Up Street in town.", "street"),
        ("Viven en Calle Ficticia 12.", "street"),
    ],
)
def test_what_names_or_reaches_one_person_is_a_hit(text: str, kind: str) -> None:
    assert kind in {hit.kind for hit in persons_in_text(text)}


@pytest.mark.parametrize(
    "text",
    [
        "In 2023-24, 412 of 880 pupils read well, up from 46.8% in 2022.",
        "Superintendent Maria Lopez opened the center on March 4, 2024.",
        "Thanks to Ana for telling her story.",
        "The partnership met on 3/4/2024 and chose three strategies.",
        "More than 12 children crossed the street safely.",
        "Students with ID cards ride free; grant 2023-1187 pays.",
        "Washington Elementary gained 5.5 points between 2019 and 2024.",
        "Children born in the county since 2015 are enrolled at birth.",
    ],
)
def test_what_is_said_in_general_is_no_hit(text: str) -> None:
    assert persons_in_text(text) == []


@given(st.text(max_size=300))
def test_hits_lie_within_the_text_in_order_and_apart(text: str) -> None:
    hits = persons_in_text(text)
    assert all(0 <= hit.start < hit.end <= len(text) for hit in hits)
    assert all(one.end <= other.start for one, other in pairwise(hits))


def test_a_hit_says_where_it_stands() -> None:
    text = "Call (555) 201-3344, she said."
    (hit,) = persons_in_text(text)
    assert text[hit.start : hit.end] == "(555) 201-3344"
