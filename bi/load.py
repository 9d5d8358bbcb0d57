"""Give a Superset the dashboard over this home's marts: `python -m bi.load --superset FOLDER [--on duckdb|postgres]`.

Belongs here: the bundle with the address that the settings name, and the call of Superset's own interpreter.
Does not: what is in the bundle (bundle.py), install or start Superset (Makefile, docs/analysts.md).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy.engine import make_url

from bi.bundle import DATABASE_FILE, FOLDER, database
from dagster_project.settings import Settings, SettingsError, from_environment

TAKE_IN = Path(__file__).with_name("take_in.py")
ROLE = "bi_internal"


class LoadError(RuntimeError):
    """The dashboard could not be given to Superset; the message is one line."""


def address(settings: Settings, on: str) -> tuple[str, dict[str, Any]]:
    """The address of the marts for SQLAlchemy and what its driver is passed; LoadError. Either way it reads alone.

    The server is read as role bi_internal, whoever logs in; a login that may not take the role is refused there.
    """
    if on == "duckdb":
        if settings.publish_url.startswith("s3://"):
            raise LoadError(
                "the releases lie in a bucket: Superset reads current.duckdb from a folder; use --on postgres"
            )
        return f"duckdb:///{Path(settings.publish_url) / 'current.duckdb'}", {"read_only": True}
    if settings.postgres_url is None:
        raise LoadError("CRADLE_POSTGRES_URL names no server")
    found = make_url(settings.postgres_url).set(drivername="postgresql+psycopg2")
    options = f"-c role={ROLE} -c default_transaction_read_only=on"
    return found.render_as_string(hide_password=False), {"options": options}


def files(settings: Settings, on: str) -> dict[str, str]:
    """The bundle as it lies in the project, its database at the address that the settings name."""
    bundle = {path.relative_to(FOLDER).as_posix(): path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.yaml")}
    found, engine = address(settings, on)
    bundle[DATABASE_FILE] = yaml.safe_dump(database(found, engine))
    return bundle


def load(superset: Path, bundle: Mapping[str, str], user: str) -> None:
    """Have the Superset of an environment take the bundle in; LoadError with the last line that it said.

    The bundle goes through a pipe: a password in it stands in no file and in no list of processes.
    """
    python = superset / "bin" / "python"
    if not python.is_file():
        raise LoadError(f"{superset} holds no Superset; `make superset-env` makes one")
    done = subprocess.run(
        # Isolated: neither this project's modules nor the folder bi/superset are taken for Superset's.
        [str(python), "-I", str(TAKE_IN), "--user", user],
        input=json.dumps(bundle),
        env=os.environ | {"SCARF_ANALYTICS": "false"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise LoadError(f"Superset did not take the dashboard in: {said[-1] if said else 'it said nothing'}")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--superset", type=Path, required=True, help="the environment that `make superset-env` made")
    parser.add_argument("--on", choices=("duckdb", "postgres"), default="duckdb")
    parser.add_argument("--user", default="admin", help="the user of Superset who owns what is brought")
    options = parser.parse_args()
    try:
        load(options.superset, files(from_environment(), options.on), options.user)
    except (LoadError, SettingsError) as error:
        print(f"bi.load: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    print(f"Superset shows the marts on {options.on}: /superset/dashboard/cradle-network/")


if __name__ == "__main__":
    main()
