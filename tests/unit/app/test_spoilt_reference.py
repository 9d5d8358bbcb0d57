"""Reference data spoilt at random: named as a fault, or harmless to all that reads it.

Belongs here: a few files of every run.
Does not: the long form (`make fuzz`), which words name which fault (test_planted_mistakes.py).
"""

from __future__ import annotations

import random

from tests.fuzz.seeds import run, spoilt


def test_whatever_a_file_of_reference_data_holds_it_is_named_or_harmless() -> None:
    assert list(run(seed=7, files=12)) == []


def test_a_spoilt_file_is_another_and_the_same_each_time() -> None:
    whole = b"id,name\na,One\nb,Two\n"
    spoilt_files = [spoilt(random.Random(number), whole) for number in range(40)]
    assert spoilt_files == [spoilt(random.Random(number), whole) for number in range(40)]
    assert sum(data != whole for data in spoilt_files) > 30
