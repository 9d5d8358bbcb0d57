"""Every setting comes from the environment, is checked once, and an unknown one is an error.

Belongs here: dagster_project/settings.py.
Does not: what the settings are used for.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import fields
from pathlib import Path

import pytest

from dagster_project.settings import KNOWN, SECRET, Settings, SettingsError, from_environment


def settings_of(home: Path, seeds: Path, **changes: str) -> object:
    """Settings of a home with some variables set."""
    return from_environment({"CRADLE_HOME": str(home), "CRADLE_SEEDS": str(seeds), **changes})


def test_unset_urls_lie_below_the_home(tmp_path: Path, seeds: Path) -> None:
    settings = from_environment({"CRADLE_HOME": str(tmp_path), "CRADLE_SEEDS": str(seeds)})
    urls = (settings.drop_url, settings.outbox_url, settings.lake_url, settings.publish_url)
    assert urls == tuple(str(tmp_path / name) for name in ("drop", "outbox", "lake", "publish"))
    assert settings.work.is_relative_to(tmp_path)


def test_the_default_home_is_data_below_the_current_folder(
    tmp_path: Path, seeds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert from_environment({"CRADLE_SEEDS": str(seeds)}).home == tmp_path / "data"


def test_seeds_of_the_current_folder_come_before_the_projects_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seeds: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    own = from_environment({}).seeds
    assert (own / "network" / "communities.csv").is_file()
    (tmp_path / "seeds").symlink_to(seeds)
    assert from_environment({}).seeds == seeds.resolve()


@pytest.mark.parametrize("name", ["CRADLE_TODY", "CRADLE_", "CRADLE_DROP"])
def test_an_unknown_setting_is_an_error_that_names_the_known_ones(tmp_path: Path, seeds: Path, name: str) -> None:
    with pytest.raises(SettingsError, match=name) as caught:
        settings_of(tmp_path, seeds, **{name: "x"})
    assert all(known in str(caught.value) for known in KNOWN)


def test_variables_of_others_are_none_of_our_business(tmp_path: Path, seeds: Path) -> None:
    settings_of(tmp_path, seeds, AWS_REGION="x", DAGSTER_HOME="y")


def test_what_no_message_shows_is_declared_a_secret() -> None:
    hidden = {f"CRADLE_{setting.name.upper()}" for setting in fields(Settings) if not setting.repr}
    assert hidden == {name for name in SECRET if name in KNOWN} != set()


def test_today_is_the_day_that_is_set(tmp_path: Path, seeds: Path) -> None:
    environment = {"CRADLE_HOME": str(tmp_path), "CRADLE_SEEDS": str(seeds), "CRADLE_TODAY": "2024-06-30"}
    assert from_environment(environment).today == dt.date(2024, 6, 30)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CRADLE_TODAY", "June 2024"),
        ("CRADLE_TODAY", "2024-06-31"),
        ("CRADLE_DROP_URL", "s3://"),
        ("CRADLE_DROP_URL", "ftp://host/folder"),
        ("CRADLE_SEEDS", "/nowhere/at/all"),
        ("CRADLE_MAX_FILE_BYTES", "many"),
        ("CRADLE_MAX_FILE_BYTES", "-1"),
        ("CRADLE_SETTLE_SECONDS", "soon"),
        ("CRADLE_SETTLE_SECONDS", "inf"),
        ("CRADLE_SETTLE_SECONDS", "nan"),
        ("CRADLE_MAX_FILE_BYTES", "nan"),
        ("CRADLE_MAX_FILE_BYTES", "0"),
        ("CRADLE_OUTBOX_URL", "s3:/bucket"),
        ("CRADLE_OUTBOX_URL", "S3://bucket"),
    ],
)
def test_a_value_that_cannot_be_used_is_an_error_that_names_the_setting(
    tmp_path: Path, seeds: Path, name: str, value: str
) -> None:
    with pytest.raises(SettingsError, match=name):
        settings_of(tmp_path, seeds, **{name: value})


@pytest.mark.parametrize(
    ("value", "expected"),
    [("s3://bucket/prefix/", "s3://bucket/prefix"), ("s3://bucket", "s3://bucket"), ("file:///a/b", "/a/b")],
)
def test_a_url_is_a_folder_or_a_bucket(tmp_path: Path, seeds: Path, value: str, expected: str) -> None:
    environment = {"CRADLE_HOME": str(tmp_path), "CRADLE_SEEDS": str(seeds), "CRADLE_DROP_URL": value}
    assert from_environment(environment).drop_url == expected


@pytest.mark.parametrize(
    ("one", "other", "says"),
    [
        ({"CRADLE_OUTBOX_URL": "a/x"}, {"CRADLE_DROP_URL": "a/x"}, "are one place"),
        ({"CRADLE_LAKE_URL": "a/x"}, {"CRADLE_PUBLISH_URL": "a/x/"}, "are one place"),
        ({"CRADLE_OUTBOX_URL": "a/drop/outbox"}, {"CRADLE_DROP_URL": "a/drop"}, "lies in CRADLE_DROP_URL"),
        ({"CRADLE_LAKE_URL": "a/x/lake"}, {"CRADLE_PUBLIC_URL": "a/x"}, "lies in CRADLE_PUBLIC_URL"),
        ({"CRADLE_PUBLISH_URL": "a/x"}, {"CRADLE_PUBLIC_URL": "a/x/public"}, "lies in CRADLE_PUBLISH_URL"),
    ],
)
@pytest.mark.parametrize("root", ["{folder}", "s3://bucket"])
def test_places_that_would_read_or_show_one_another_are_refused(
    tmp_path: Path, seeds: Path, one: dict[str, str], other: dict[str, str], says: str, root: str
) -> None:
    below = root.format(folder=tmp_path)
    changes = {name: f"{below}/{value}" for name, value in (one | other).items()}
    with pytest.raises(SettingsError, match=says) as caught:
        settings_of(tmp_path, seeds, **changes)
    assert all(name in str(caught.value) for name in changes)


def test_places_whose_names_begin_alike_are_apart(tmp_path: Path, seeds: Path) -> None:
    settings_of(tmp_path, seeds, CRADLE_DROP_URL="s3://bucket/drop", CRADLE_OUTBOX_URL="s3://bucket/drop-outbox")


def test_a_blank_setting_is_an_unset_one(tmp_path: Path, seeds: Path) -> None:
    blank = dict.fromkeys(sorted(set(KNOWN) - {"CRADLE_HOME", "CRADLE_SEEDS", "CRADLE_TODAY"}), "")
    assert settings_of(tmp_path, seeds, CRADLE_TODAY="2024-06-30", **blank) == settings_of(
        tmp_path, seeds, CRADLE_TODAY="2024-06-30"
    )


def test_an_engine_that_is_not_known_is_refused_in_one_plain_line() -> None:
    with pytest.raises(SettingsError, match=r"CRADLE_ENGINE=sparc is not known; known are duckdb, spark"):
        from_environment({"CRADLE_ENGINE": "sparc"})


def test_a_run_on_spark_names_its_cluster() -> None:
    with pytest.raises(SettingsError, match="needs CRADLE_SPARK_MASTER"):
        from_environment({"CRADLE_ENGINE": "spark"})
    master = "spark://host:7077"
    assert from_environment({"CRADLE_ENGINE": "spark", "CRADLE_SPARK_MASTER": master}).spark_master == master
    assert from_environment({"CRADLE_SPARK_MASTER": master}).spark_master is None, "DuckDB is the engine all the same"


def test_a_mail_servers_password_is_in_no_message_and_in_no_shown_settings() -> None:
    with pytest.raises(SettingsError, match="begin with smtp://") as told:
        from_environment({"CRADLE_SMTP_URL": "http://user:secretword@host"})
    assert "secretword" not in str(told.value)
    assert "secretword" not in repr(from_environment({"CRADLE_SMTP_URL": "smtp://user:secretword@host/?from=a@b.c"}))


PASSWORD = "secretword"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CRADLE_POSTGRES_URL", "postgresql://u:secretword@secretword@host/base"),
        ("CRADLE_POSTGRES_URL", "postgresql://u:secretword/more@host/base"),
        ("CRADLE_POSTGRES_URL", "postgresql://u:5/secretword@host/base"),
        ("CRADLE_POSTGRES_URL", "postgresql://u:secretword"),
        ("CRADLE_POSTGRES_URL", "postgresql://u:secretword%zz@host/base"),
        ("CRADLE_POSTGRES_URL", "mysql://u:secretword@host/base"),
        ("CRADLE_SMTP_URL", "smtp://u:secretword/more@host:587/?from=a@b.c"),
        ("CRADLE_SMTP_URL", "smtp://u:secretword#more@host:587/?from=a@b.c"),
        ("CRADLE_SMTP_URL", "smtp://u:secretword[@host:587/?from=a@b.c"),
        ("CRADLE_S3_ENDPOINT", "https://key:secretword@host:9000"),
        ("CRADLE_LAKE_URL", "s3://key:secretword@bucket/lake"),
        ("CRADLE_LAKE_URL", "s3://key:secretword/more@bucket/lake"),
        ("CRADLE_LAKE_URL", "https://key:secretword@host/lake"),
    ],
)
def test_an_address_whose_password_stands_where_it_is_not_read_is_refused_without_showing_it(
    name: str, value: str
) -> None:
    with pytest.raises(SettingsError, match=name) as told:
        from_environment({name: value})
    assert PASSWORD not in str(told.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CRADLE_POSTGRES_URL", "postgresql://anna:se:cret@host:5432/bi"),
        ("CRADLE_POSTGRES_URL", "postgres://anna:se%40c%2Fret@[::1]:5432/bi?sslmode=require"),
        ("CRADLE_POSTGRES_URL", "postgresql:///bi?host=/run/postgresql"),
        ("CRADLE_POSTGRES_URL", "postgresql://one:5432,two:5433/bi?user=anna&password=secret"),
        ("CRADLE_SMTP_URL", "smtp://data%40b.c:secret@host:587/?from=a@b.c"),
        ("CRADLE_SMTP_URL", "smtps://host?from=a@b.c"),
        ("CRADLE_S3_ENDPOINT", "http://127.0.0.1:9000"),
        ("CRADLE_S3_ENDPOINT", "https://[::1]:9000/s3"),
        ("CRADLE_S3_ENDPOINT", "https://objects.example.org/"),
        ("CRADLE_LAKE_URL", "s3://bucket/a@b:c"),
    ],
)
def test_an_address_that_can_be_read_is_taken_as_it_is(name: str, value: str) -> None:
    field = name.removeprefix("CRADLE_").lower()
    assert getattr(from_environment({name: value}), field) == value


@pytest.mark.parametrize("endpoint", ["127.0.0.1:9000", "ftp://host", "http://", "http://host:port", "http://host "])
def test_an_endpoint_that_no_client_can_ask_is_refused_with_the_form_it_needs(endpoint: str) -> None:
    with pytest.raises(SettingsError, match=r"CRADLE_S3_ENDPOINT.* write https://host:port"):
        from_environment({"CRADLE_S3_ENDPOINT": endpoint})


def test_the_embedded_engine_may_be_named() -> None:
    assert from_environment({"CRADLE_ENGINE": "duckdb"}) == from_environment({})
