"""Models speak SQL that more than one engine understands; what engines spell differently stands in one macro file.

Belongs here: forms that models, tests and macros of dbt must not hold, each with what to write instead.
Does not: style (sqlfluff), or whether another engine runs the models.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "dbt"
MACROS = ROOT / "macros" / "dialect.sql"
# The seed materialization is DuckDB's own by name; every other macro keeps to the rules of models.
OF_ONE_ENGINE = {MACROS, ROOT / "macros" / "seeds.sql"}
FORBIDDEN = {
    r"\bqualify\b": "row_number() in a step of its own, and `where ... = 1`",
    r"\b(semi|anti) join\b": "`where ... in (select ...)` or `where not exists (...)`",
    r"\bgroup by all\b|\border by all\b": "the names of the columns",
    r"\bby name\b": "the same columns in the same order on both sides",
    r"\*\s*(exclude|replace|except|rename)\b": "the names of the columns",
    r"\b(max_by|min_by|arg_max|arg_min)\s*\(": "{{ value_at_largest(...) }}",
    r"\b(string_agg|listagg|group_concat)\s*\(": "{{ joined_words(...) }}",
    r"\b(generate_series|unnest|explode|range)\s*\(": "{{ every_number(...) }} or {{ every_day(...) }}",
    r"::": "cast(... as ...)",
    # One engine takes it for a text, in silence.
    r"\"\w+\"": "{{ adapter.quote(...) }}",
    r"(?<![\w.])row\s*\(": "the columns one by one",
    r"\bread_(csv|parquet|json)\s*\(": "a source",
}


def code(path: Path) -> str:
    """The file without comments and quoted texts."""
    text = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r"--[^\n]*|'[^'\n]*'", "", text).lower()


def files() -> list[Path]:
    """Every SQL file of the project but those that are of one engine on purpose."""
    found = [path for folder in ("models", "tests", "macros") for path in (ROOT / folder).rglob("*.sql")]
    return sorted(set(found) - OF_ONE_ENGINE)


@pytest.mark.parametrize("form", FORBIDDEN)
def test_no_model_holds_a_form_that_only_one_engine_knows(form: str) -> None:
    assert len(files()) > 60
    held = [str(path.relative_to(ROOT)) for path in files() if re.search(form, code(path))]
    assert not held, f"write {FORBIDDEN[form]} instead"


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (r"\bqualify\b", "select 1 qualify x"),
        (r"::", "select a::double"),
        (r"\"\w+\"", 'select "group" from a'),
        (r"(?<![\w.])row\s*\(", "select row(a, b) as state"),
        (r"\*\s*(exclude|replace|except|rename)\b", "select * exclude (a)"),
    ],
)
def test_the_forms_are_recognised(form: str, text: str) -> None:
    assert re.search(form, text)


def test_a_quotient_of_counts_is_no_whole_number() -> None:
    # DuckDB divides whole numbers into fractions, other engines cut them off.
    quotient = re.compile(r"(?P<above>[\w.)]+)\s*/(?![/*])")
    bare = []
    for path in files():
        text = code(path)
        for found in quotient.finditer(text):
            line = text[text.rfind("\n", 0, found.start()) + 1 : found.end()]
            before = text[max(0, found.start() - 90) : found.end()]
            if "as double)" not in before:
                bare.append(f"{path.relative_to(ROOT)}: {line.strip()}")
    assert not bare


def test_every_dispatched_macro_has_a_form_for_all_engines() -> None:
    text = MACROS.read_text(encoding="utf-8") + (ROOT / "macros" / "computed.sql").read_text(encoding="utf-8")
    dispatched = set(re.findall(r"adapter\.dispatch\('(\w+)'\)", text))
    assert dispatched
    assert dispatched == set(re.findall(r"macro default__(\w+)", text))
