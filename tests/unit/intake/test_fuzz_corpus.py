"""Every input of the kept corpus ends in the findings that stand beside it.

Belongs here: tests/fuzz/corpus, and what is added to it. Does not: new inputs (test_fuzz.py, `make fuzz`).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz import corpus
from tests.fuzz.corpus import COLUMNS, Outcome, grow, kept, outcomes


def test_every_kept_input_ends_in_the_findings_that_stand_beside_it() -> None:
    known = kept()
    assert len(known) > 50
    ended = outcomes([file for _, file, _ in known])
    assert {name: now for (name, _, _), now in zip(known, ended, strict=True)} == {
        name: before for name, _, before in known
    }


def test_every_file_of_the_corpus_is_listed_and_small() -> None:
    files = {path.name: path.stat().st_size for path in corpus.CORPUS.iterdir() if path != corpus.LIST}
    assert set(files) == {name for name, _, _ in kept()}
    assert max(files.values()) <= corpus.SMALL_BYTES


def test_an_input_is_kept_if_it_shows_what_none_before_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "CORPUS", tmp_path)
    monkeypatch.setattr(corpus, "LIST", tmp_path / "corpus.csv")
    (tmp_path / "corpus.csv").write_text(",".join(COLUMNS) + "\n", encoding="utf-8")
    empty, ragged = Outcome(0, ("empty_file",)), Outcome(1, ("empty_file", "ragged_row"))
    found = [
        (("a.csv", b""), empty),
        (("b.csv", b" "), empty),
        (("c.csv", b"x" * 10_000), ragged),
        (("d.csv", b"y"), ragged),
        (("e.tsv", b""), empty),
    ]
    assert grow(found) == ["000.csv", "001.csv", "002.tsv"]
    assert [file for _, file, _ in kept()] == [("a.csv", b""), ("d.csv", b"y"), ("e.tsv", b"")]
    assert [ended for _, _, ended in kept()] == [empty, ragged, empty]
    assert grow(found) == []
