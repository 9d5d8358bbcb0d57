"""Which indicators have a block on a community's card: those that decide for it (RULES 5)."""

import pytest

from dagster_project.lib.publish.report.card import is_core, is_lost

FOUR = {"indicator_id": "graduation_4yr_pct", "role": "core", "is_primary": True}
FIVE = {"indicator_id": "graduation_5yr_pct", "role": "core", "is_primary": False}
ABSENT = {"indicator_id": "chronic_absence_pct", "role": "contributing", "is_primary": False}


def chosen(**roles: str) -> dict[str, dict[str, object]]:
    return {name: {"indicator_id": name, "role": role} for name, role in roles.items()}


@pytest.mark.parametrize(
    ("own", "core"),
    [
        (chosen(), [True, False, False]),
        (chosen(graduation_5yr_pct="core"), [False, True, False]),
        (chosen(graduation_4yr_pct="contributing", chronic_absence_pct="core"), [False, False, True]),
        (chosen(graduation_4yr_pct="core", graduation_5yr_pct="adjacent"), [True, False, False]),
    ],
)
def test_a_community_that_chose_has_its_own_core_indicators_and_no_other(
    own: dict[str, dict[str, object]], core: list[bool]
) -> None:
    assert [is_core(own, indicator) for indicator in (FOUR, FIVE, ABSENT)] == core


def test_a_release_that_does_not_tell_primaries_goes_by_roles() -> None:
    assert is_core({}, {"indicator_id": "graduation_4yr_pct", "role": "core"})


@pytest.mark.parametrize(
    ("status", "direction", "latest", "lost"),
    [
        ("met", 1, 69.0, True),
        ("met", 1, 80.0, False),
        ("met", 1, 79.99, False),
        ("met_late", 1, 79.0, True),
        ("met", -1, 81.0, True),
        ("met", -1, 69.0, False),
        ("missed", 1, 69.0, False),
        ("met", 1, None, False),
    ],
)
def test_a_target_that_was_met_and_lost_again_is_told_as_such(
    status: str, direction: int, latest: float | None, lost: bool
) -> None:
    assert is_lost({"status": status, "target_value": 80.0, "latest_value": latest}, direction) is lost
