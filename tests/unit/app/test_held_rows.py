"""Claims about what is gathered once in a process: held for the very same alone, and for one who asks."""

import polars as pl
import pytest

from dagster_project.lib.warehouse.held import Slot, Stands
from dagster_project.lib.warehouse.landing import Landed

EVENTS = pl.DataFrame({"sequence": [1, 2], "name": ["values.csv", None]})
STRAYS = pl.DataFrame({"finding_id": ["f1"], "found": ["20l9"]})
SEEDS, OTHER = {"seeds_sha256": "abc"}, {"seeds_sha256": "abd"}
STOOD = Stands("/lake", SEEDS, EVENTS, STRAYS)
LANDED = Landed({"observations": pl.DataFrame({"value": [0.5]})})


def test_the_same_is_given_once() -> None:
    slot = Slot()
    slot.keep(STOOD, LANDED)
    assert slot.take(lambda: Stands("/lake", dict(SEEDS), EVENTS.clone(), STRAYS.clone())) is LANDED
    assert slot.take(lambda: STOOD) is None, "a network's rows are not held for ever"


@pytest.mark.parametrize(
    "now",
    [
        Stands("/another", SEEDS, EVENTS, STRAYS),
        Stands("/lake", OTHER, EVENTS, STRAYS),
        Stands("/lake", SEEDS, EVENTS.with_columns(name=pl.lit("values.csv")), STRAYS),
        Stands("/lake", SEEDS, EVENTS.head(1), STRAYS),
        Stands("/lake", SEEDS, EVENTS, STRAYS.with_columns(found=pl.lit("2O19"))),
    ],
    ids=["lake", "conditions", "event", "events", "strays"],
)
def test_what_stands_otherwise_is_gathered_anew(now: Stands) -> None:
    slot = Slot()
    slot.keep(STOOD, LANDED)
    assert slot.take(lambda: now) is None
    assert slot.take(lambda: STOOD) is None, "and what was held is not given later"


def test_what_is_kept_last_takes_the_place_of_what_was() -> None:
    slot = Slot()
    slot.keep(STOOD, LANDED)
    newer = Stands("/lake", OTHER, EVENTS, STRAYS)
    slot.keep(newer, Landed({}))
    assert slot.take(lambda: STOOD) is None


def test_where_nothing_is_held_nothing_is_looked_at() -> None:
    assert Slot().take(lambda: pytest.fail("a run that gathers anyway looks at the lake once")) is None
