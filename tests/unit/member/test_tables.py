"""Tables that forms complete line by line: no line is lost, and nothing else is written over.

Belongs here: tables of answers as bytes and in a folder.
Does not: forms (tests/browser), how intake reads the tables (unit/intake/test_explanations.py).
"""

from __future__ import annotations

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import contracts
from dagster_project.lib.base.store import Store
from dagster_project.lib.member.page.tables import (
    ANSWER_COLUMNS,
    ANSWER_KEY,
    DECISION_COLUMNS,
    NoTableError,
    add_row,
    one_line,
    rows_of,
    with_row,
)

PLACE = "alder/2018/answers.csv"


def test_the_columns_are_those_of_the_contracts() -> None:
    tables = contracts.tables(contracts.newest_version())
    assert set(ANSWER_COLUMNS) == set(tables["explanations"].names)
    assert set(DECISION_COLUMNS) == set(tables["explanation_decisions"].names)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.text(), st.text())))
def test_each_line_stands_with_its_last_words(lines: list[tuple[str, str, str]]) -> None:
    table: bytes | None = None
    for finding, text, reason in lines:
        table = with_row(table, ANSWER_COLUMNS, ANSWER_KEY, {"finding_id": finding, "text": text, "reason": reason})
    last = {(finding,): (one_line(text), one_line(reason)) for finding, text, reason in lines}
    found = rows_of(table, ANSWER_COLUMNS, ANSWER_KEY)
    assert {key: (row["text"], row["reason"]) for key, row in found.items()} == last
    assert all("\n" not in cell for line in csv.reader(io.StringIO((table or b"").decode())) for cell in line)


@pytest.mark.parametrize(
    "other", [b"year,value\n2018,3\n", b"finding_id,text,mine\na,b,c\n", b"\xff\xfe\x00", b'finding_id,"text\n']
)
def test_a_file_of_another_kind_is_not_written_over(tmp_path: Path, other: bytes) -> None:
    store = Store(str(tmp_path))
    store.put(PLACE, other)
    with pytest.raises(NoTableError):
        add_row(store, PLACE, ANSWER_COLUMNS, ANSWER_KEY, {"finding_id": "a", "text": "b"})
    assert store.get(PLACE) == other


def test_answers_that_come_at_the_same_time_all_stand(tmp_path: Path) -> None:
    store = Store(str(tmp_path))

    def answer(n: int) -> None:
        add_row(store, PLACE, ANSWER_COLUMNS, ANSWER_KEY, {"finding_id": f"f{n}", "text": f"text {n}"})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(answer, range(12)))
    assert len(rows_of(store.get(PLACE), ANSWER_COLUMNS, ANSWER_KEY)) == 12
