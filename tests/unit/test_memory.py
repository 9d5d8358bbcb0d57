"""What a process that stays keeps of its looks at the bucket, beside all that it has loaded.

Belongs here: how much garbage waits for Python's collector. Does not: memory that was seen (docs/operations.md).
"""

from __future__ import annotations

import subprocess
import sys

from tests.support import PROJECT

LOOKS = """
import collections, weakref
from dagster_project.instance.memory import what_is_loaded_stays
class Look: pass
loaded = [[] for _ in range(1_200_000)]
if {called}:
    what_is_loaded_stays()
in_use, there, most = collections.deque(maxlen=5_000), weakref.WeakSet(), 0
for _ in range(300_000):
    look = Look()
    look.itself = look
    in_use.append(look)
    there.add(look)
    most = max(most, len(there))
print(most)
"""


def most_kept(*, called: bool) -> int:
    done = subprocess.run(
        [sys.executable, "-c", LOOKS.format(called=called)], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def test_garbage_of_looks_does_not_wait_for_a_quarter_of_all_that_was_loaded() -> None:
    assert most_kept(called=True) < most_kept(called=False) / 2
