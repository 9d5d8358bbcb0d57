"""Every setting, from the environment, validated once.

Belongs here: the names, defaults and meaning of CRADLE_* variables and the paths that follow from them.
Does not: reference data (seeds), parameters of rules (seeds/rulesets), anything that a run computes.
"""

from __future__ import annotations

import datetime as dt
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent

KNOWN = {
    "CRADLE_HOME": "folder for everything the warehouse writes (default ./data)",
    "CRADLE_DROP_URL": "the drop bucket: a folder or s3://bucket/prefix (default {CRADLE_HOME}/drop)",
    "CRADLE_OUTBOX_URL": "where receipts go (default {CRADLE_HOME}/outbox)",
    "CRADLE_LAKE_URL": "where raw bytes and accepted rows are kept (default {CRADLE_HOME}/lake)",
    "CRADLE_PUBLISH_URL": "where releases are published (default {CRADLE_HOME}/publish)",
    "CRADLE_PUBLIC_URL": "where the public edition goes (default {CRADLE_HOME}/public)",
    "CRADLE_PUBLIC": "on or off: whether a run publishes the public edition too (default on)",
    "CRADLE_POSTGRES_URL": "the PostgreSQL database that BI tools read, postgresql://user:password@host:5432/database "
    "(default: none)",
    "CRADLE_ENGINE": "what builds the models, computes the analysis and protects the public edition: duckdb (default) "
    "or spark (docs/spark.md)",
    "CRADLE_SPARK_MASTER": "the cluster of CRADLE_ENGINE=spark, as Spark names it: spark://host:7077 (unset: none)",
    "CRADLE_S3_ENDPOINT": "endpoint of the S3 service for s3:// URLs",
    "CRADLE_TODAY": "the only today, as an ISO date (default: the date of the run)",
    "CRADLE_SEEDS": "folder of reference data (default ./seeds, else the project's own)",
    "CRADLE_MAX_FILE_BYTES": "largest file that is read, in bytes (default 31457280)",
    "CRADLE_SETTLE_SECONDS": "a file in a folder that changed within this many seconds is waited for (default 5)",
    "CRADLE_RUNS_KEPT_DAYS": "days after which Dagster's record of a build is deleted; 0: never (default 400)",
    "CRADLE_RELEASES_KEPT": "newest provisional releases whose data files `cradle prune` leaves (default 10)",
    "CRADLE_SERVE_SECRET": "signs links to the member's page; at least 32 characters (unset: no links)",
    "CRADLE_SERVE_USER_HEADER": "header in which the site's own proxy names the community (unset: none is read)",
    "CRADLE_SMTP_URL": "mail server, smtp://user:password@host:587/?from=address (unset: mails are files in "
    "{CRADLE_HOME}/mail)",
}
SECRET = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "CRADLE_POSTGRES_URL",
    "CRADLE_SERVE_SECRET",
    "CRADLE_SMTP_URL",
)
"""What is a secret or may hold one, the standard names of S3's keys included: for this process alone."""
LEAST_SECRET = 32
# An address whose parts are told apart in one way only: a password that is cut at the wrong place is shown by half.
_WHO = r"(?:[^/@\[\]\s%]|%[0-9A-Fa-f]{2})*"
_HOST = r"(?:\[[0-9A-Fa-f:.%]+\]|[^/?#@:,\[\]\s]*)(?::\d{0,5})?"
_REST = r"(?:/[^?#@\s]*)?(?:\?[^#\s]*)?"
POSTGRES_ADDRESS = re.compile(rf"postgres(?:ql)?://(?:{_WHO}@)?{_HOST}(?:,{_HOST})*{_REST}")
SMTP_ADDRESS = re.compile(rf"smtps?://(?:(?![^@]*[?#][^@]*@){_WHO}@)?{_HOST}{_REST}")
ENDPOINT = re.compile(r"https?://(?:\[[0-9A-Fa-f:.%]+\]|[^/?#@:,\[\]\s]+)(?::\d{1,5})?(?:/[^?#@\s]*)?")
KEYS_ELSEWHERE = "holds an @ or a : where only names stand; keys belong in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
ENCODED = "in a name or a password write %40 for @, %2F for /, %3F for ?, %23 for #, %5B for [, %25 for %"


PLACES = {
    "CRADLE_DROP_URL": "drop",
    "CRADLE_OUTBOX_URL": "outbox",
    "CRADLE_LAKE_URL": "lake",
    "CRADLE_PUBLISH_URL": "publish",
    "CRADLE_PUBLIC_URL": "public",
}
"""Settings that name a place, and the folder of the home that is its default."""
HOLDS_NOTHING_ELSE = {
    "CRADLE_DROP_URL": "what is written there would be read as members' files",
    "CRADLE_PUBLIC_URL": "what lies there is public",
}
"""Places in which no other may lie, and why."""
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
"""How an address begins, also one with a stroke too few (s3:/bucket): no folder is meant."""
DUCKDB, SPARK = ENGINES = ("duckdb", "spark")


class SettingsError(ValueError):
    """A setting is unknown or cannot be used; the message is one line and a hint."""


@dataclass(frozen=True)
class Settings:
    """The validated settings of one run."""

    home: Path
    drop_url: str
    outbox_url: str
    lake_url: str
    publish_url: str
    public_url: str
    public: bool
    s3_endpoint: str | None
    spark_master: str | None
    today: dt.date
    seeds: Path
    max_file_bytes: int
    settle_seconds: float
    runs_kept_days: int
    releases_kept: int
    serve_secret: str | None = field(default=None, repr=False)
    serve_user_header: str | None = None
    # The next two may hold a password, so no message that shows the settings shows it.
    postgres_url: str | None = field(default=None, repr=False)
    smtp_url: str | None = field(default=None, repr=False)

    @property
    def work(self) -> Path:
        """Scratch that can be deleted at any time: landing files, the warehouse, dbt's target folders."""
        return self.home / "work"

    @property
    def landing(self) -> Path:
        """One Parquet file a table, gathered from the lake for dbt."""
        return self.work / "landing"

    @property
    def analysis(self) -> Path:
        """One Parquet file a table that Python computed, read by dbt's reporting models."""
        return self.work / "analysis"

    @property
    def warehouse(self) -> Path:
        """The DuckDB file that dbt writes."""
        return self.work / "warehouse.duckdb"

    @property
    def dagster_home(self) -> Path:
        """Dagster's instance folder, unless DAGSTER_HOME says otherwise."""
        return Path(os.environ.get("DAGSTER_HOME") or self.home / "dagster")


def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; SettingsError for an unknown CRADLE_ variable or a value that cannot be used."""
    env = os.environ if environment is None else environment
    unknown = sorted(name for name in env if name.startswith("CRADLE_") and name not in KNOWN)
    if unknown:
        raise SettingsError(f"unknown setting {', '.join(unknown)}; known are {', '.join(sorted(KNOWN))}")
    home = Path(env.get("CRADLE_HOME") or "data").expanduser().resolve()
    places = {name: _url(env, name, home / folder) for name, folder in PLACES.items()}
    _require_apart(places)
    return Settings(
        home=home,
        drop_url=places["CRADLE_DROP_URL"],
        outbox_url=places["CRADLE_OUTBOX_URL"],
        lake_url=places["CRADLE_LAKE_URL"],
        publish_url=places["CRADLE_PUBLISH_URL"],
        public_url=places["CRADLE_PUBLIC_URL"],
        public=_switch(env, "CRADLE_PUBLIC"),
        s3_endpoint=_endpoint(env),
        spark_master=_spark_master(env),
        today=_today(env),
        seeds=_seeds(env),
        max_file_bytes=int(_number(env, "CRADLE_MAX_FILE_BYTES", 31_457_280, least=1)),
        settle_seconds=_number(env, "CRADLE_SETTLE_SECONDS", 5),
        runs_kept_days=int(_number(env, "CRADLE_RUNS_KEPT_DAYS", 400)),
        releases_kept=int(_number(env, "CRADLE_RELEASES_KEPT", 10)),
        serve_secret=_secret(env),
        serve_user_header=env.get("CRADLE_SERVE_USER_HEADER") or None,
        smtp_url=_smtp(env),
        postgres_url=_postgres(env),
    )


def _url(env: Mapping[str, str], name: str, default: Path) -> str:
    value = env.get(name)
    if not value:
        return str(default)
    if value.startswith("s3://"):
        bucket = value.removeprefix("s3://").split("/")[0]
        if not bucket:
            raise SettingsError(f"{name}={value} names no bucket; write s3://bucket/prefix")
        if ":" in bucket or "@" in bucket:
            raise SettingsError(f"{name} {KEYS_ELSEWHERE}")
        return value.rstrip("/")
    if SCHEME.match(value) and not value.startswith("file://"):
        # What stands before an @ may be a password.
        told = name if "@" in value else f"{name}={value}"
        raise SettingsError(f"{told} is neither a folder nor an s3:// address")
    return str(Path(value.removeprefix("file://")).expanduser().resolve())


def _require_apart(places: Mapping[str, str]) -> None:
    """SettingsError where two places are one, or one lies where nothing else may."""
    for one, url in places.items():
        for other, within in places.items():
            if one < other and url == within:
                raise SettingsError(f"{one} and {other} are one place ({url}); give each its own")
            if one in HOLDS_NOTHING_ELSE and within.startswith(f"{url}/"):
                raise SettingsError(f"{other} lies in {one} ({url}), and {HOLDS_NOTHING_ELSE[one]}; keep them apart")
    # The certificates of the public edition lie in a folder of that name below the releases.
    if places["CRADLE_PUBLIC_URL"].startswith(f"{places['CRADLE_PUBLISH_URL']}/"):
        raise SettingsError("CRADLE_PUBLIC_URL lies in CRADLE_PUBLISH_URL, which holds small groups; keep them apart")


def _endpoint(env: Mapping[str, str]) -> str | None:
    value = env.get("CRADLE_S3_ENDPOINT") or None
    if value and "@" in value:
        raise SettingsError(f"CRADLE_S3_ENDPOINT {KEYS_ELSEWHERE}")
    if value and not ENDPOINT.fullmatch(value):
        raise SettingsError(f"CRADLE_S3_ENDPOINT={value} is no address of a service; write https://host:port")
    return value


def _spark_master(env: Mapping[str, str]) -> str | None:
    """The cluster that builds and computes; None where DuckDB and this process do."""
    engine, master = env.get("CRADLE_ENGINE") or DUCKDB, env.get("CRADLE_SPARK_MASTER") or None
    if engine not in ENGINES:
        raise SettingsError(f"CRADLE_ENGINE={engine} is not known; known are {', '.join(ENGINES)}")
    if engine == SPARK and master is None:
        raise SettingsError("CRADLE_ENGINE=spark needs CRADLE_SPARK_MASTER; write spark://host:7077 (docs/spark.md)")
    return master if engine == SPARK else None


def _secret(env: Mapping[str, str]) -> str | None:
    value = env.get("CRADLE_SERVE_SECRET") or None
    if value is not None and len(value) < LEAST_SECRET:
        raise SettingsError(f"CRADLE_SERVE_SECRET has {len(value)} characters; {LEAST_SECRET} are the least")
    return value


def _postgres(env: Mapping[str, str]) -> str | None:
    value = env.get("CRADLE_POSTGRES_URL")
    if value and not value.startswith(("postgresql://", "postgres://")):
        # Never the value: it may hold a password.
        raise SettingsError("CRADLE_POSTGRES_URL does not begin with postgresql://; write postgresql://user@host/base")
    if value and not POSTGRES_ADDRESS.fullmatch(value):
        raise SettingsError(f"CRADLE_POSTGRES_URL is no address postgresql://user:password@host:5432/base; {ENCODED}")
    return value or None


def _smtp(env: Mapping[str, str]) -> str | None:
    value = env.get("CRADLE_SMTP_URL")
    if value and not value.startswith(("smtp://", "smtps://")):
        # Never the value: it may hold a password.
        raise SettingsError(
            "CRADLE_SMTP_URL does not begin with smtp:// or smtps://; write smtp://host:587/?from=address"
        )
    if value and not SMTP_ADDRESS.fullmatch(value):
        raise SettingsError(f"CRADLE_SMTP_URL is no address smtp://user:password@host:587/?from=address; {ENCODED}")
    return value or None


def _switch(env: Mapping[str, str], name: str) -> bool:
    value = env.get(name) or "on"
    if value.lower() not in ("on", "off"):
        raise SettingsError(f"{name}={value} is neither on nor off")
    return value.lower() == "on"


def _today(env: Mapping[str, str]) -> dt.date:
    value = env.get("CRADLE_TODAY")
    if not value:
        # The one place that reads a clock: without the setting, today is the day of the run, and the manifest says so.
        return dt.date.today()  # noqa: DTZ011
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        raise SettingsError(f"CRADLE_TODAY={value} is not a date; write it as 2024-06-30") from None


def _seeds(env: Mapping[str, str]) -> Path:
    value = env.get("CRADLE_SEEDS")
    here = Path("seeds").resolve()
    seeds = Path(value).expanduser().resolve() if value else (here if here.is_dir() else PROJECT_ROOT / "seeds")
    if not (seeds / "network" / "communities.csv").is_file():
        raise SettingsError(f"CRADLE_SEEDS={seeds} has no network/communities.csv; point it at a seeds folder")
    return seeds


def _number(env: Mapping[str, str], name: str, default: float, least: float = 0) -> float:
    value = env.get(name)
    if not value:
        return default
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise SettingsError(f"{name}={value} is not a number")
    if number < least:
        raise SettingsError(f"{name}={value} must {f'be at least {least:g}' if least else 'not be negative'}")
    return number
