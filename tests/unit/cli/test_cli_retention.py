"""What the command line does once a release is withdrawn.

Belongs here: that the server is brought up to it whatever the outbox says, and what is said then.
Does not: withdrawing itself (tests/unit/publish/test_states.py), whose results name it (test_results.py there).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from dagster_project.cli import retention
from dagster_project.cli.main import cli
from dagster_project.lib.app.stands.public import PublicStands
from dagster_project.lib.base.store import Store, StoreError
from dagster_project.lib.publish.public import edition, results
from dagster_project.lib.publish.release import decisions
from tests.support import PROJECT


@pytest.mark.parametrize("is_public", [False, True])
def test_the_server_holds_what_was_withdrawn_no_more_also_where_the_outbox_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_public: bool
) -> None:
    @contextlib.contextmanager
    def undisturbed(config: object) -> Iterator[None]:
        yield

    def unreadable(outbox: Store, communities: object, named: str) -> list[str]:
        raise StoreError("no answer")

    served: list[object] = []
    monkeypatch.setattr(retention, "_deciding", undisturbed)
    monkeypatch.setattr(retention, "_is_public", lambda config, release: is_public)
    monkeypatch.setattr(retention, "manifest_of_release", lambda config, release: {"release_id": "r"})
    monkeypatch.setattr(retention, "serve_current", served.append)
    monkeypatch.setattr(decisions, "withdraw", lambda *given: None)
    monkeypatch.setattr(edition, "take_down", lambda *given: ["taken down"])
    monkeypatch.setattr(PublicStands, "made_of", lambda stands, release_id: [])
    monkeypatch.setattr(PublicStands, "places", SimpleNamespace())
    monkeypatch.setattr(results, "returned_with", unreadable)
    own = {"CRADLE_HOME": str(tmp_path), "CRADLE_SEEDS": str(PROJECT / "seeds"), "CRADLE_TODAY": "2026-06-30"}
    done = CliRunner().invoke(cli, ["release", "withdraw", "r", "--reason", "counts of another school"], env=own)
    assert done.exit_code == 1 and "it is withdrawn; whose results name it is not known: no answer" in done.output
    assert len(served) == 1
