"""Released tables in the words of PostgreSQL.

Belongs here: types, relations, indexes and rights as statements.
Does not: a server (tests/integration/test_bi_server.py).
"""

from __future__ import annotations

import pytest

from dagster_project.lib.publish.server.forms import (
    FormError,
    create,
    finish,
    internal_rights,
    public_rights,
    relate,
    server_tables,
)
from dagster_project.lib.publish.server.loading import Server
from dagster_project.lib.warehouse.declared import ColumnWords, TableWords

PLACE_KEY = ("community_id", "place_id")
WORDS = {
    "dim_place": TableWords("dim_place", "Places.", PLACE_KEY, ()),
    "fct_count": TableWords(
        "fct_count",
        "Counts.",
        ("community_id", "reporting_year"),
        (
            ColumnWords("community_id", "varchar", "Whose.", refers_to="dim_community.community_id"),
            ColumnWords("place_id", "varchar", "It's where.", refers_to="dim_place.place_id"),
            ColumnWords("gone", "varchar", "Not in this release."),
        ),
    ),
}
KEYS = {"dim_place": PLACE_KEY, "fct_count": ("community_id", "reporting_year"), "fct_total": ("reporting_year",)}
COLUMNS = {
    "dim_place": [("community_id", "VARCHAR"), ("place_id", "VARCHAR")],
    "fct_count": [("community_id", "VARCHAR"), ("place_id", "VARCHAR"), ("reporting_year", "INTEGER")],
    "fct_total": [("reporting_year", "INTEGER"), ("parts", "VARCHAR[]")],
}
PLACES, COUNTS, TOTALS = server_tables(COLUMNS, KEYS, WORDS)


def test_columns_keep_their_types_and_lists_stay_lists() -> None:
    assert create("s", TOTALS) == 'create table "s"."fct_total" ("reporting_year" integer, "parts" text[]);'


def test_a_type_without_a_form_is_named() -> None:
    (table,) = server_tables({"fct_count": [("shape", "GEOMETRY")]}, {}, {})
    with pytest.raises(FormError, match=r"fct_count.shape is of type GEOMETRY"):
        create("s", table)


def test_a_key_of_several_columns_is_referred_to_as_a_whole_and_an_absent_table_not_at_all() -> None:
    assert list(relate("s", COUNTS)) == [
        'alter table "s"."fct_count" add foreign key ("community_id", "place_id") '
        'references "s"."dim_place" ("community_id", "place_id");'
    ]


def test_comments_are_quoted_and_speak_of_columns_that_are_there() -> None:
    said = "\n".join(finish("s", COUNTS))
    assert "'It''s where. Refers to dim_place.place_id.'" in said and "gone" not in said


def test_no_index_repeats_the_beginning_of_another() -> None:
    made = [line for line in finish("s", COUNTS) if "create index" in line]
    assert made == [
        'create index on "s"."fct_count" ("community_id", "place_id");',
        'create index on "s"."fct_count" ("reporting_year");',
    ]


def test_members_get_own_rows_and_no_sums_over_the_network() -> None:
    said = list(internal_rights("s", [PLACES, COUNTS, TOTALS]))
    assert 'alter table "s"."fct_count" enable row level security;' in said
    granted = [line for line in said if "bi_member" in line and line.startswith("grant select")]
    assert not any("fct_total" in line for line in granted)
    assert not any("bi_public" in line for line in said)
    assert any("bi_public" in line for line in public_rights("s"))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://anna:secret@host:5432/bi", "postgresql://anna:***@host:5432/bi"),
        ("postgresql://anna@host/bi", "postgresql://anna@host/bi"),
        ("postgresql://host:5432/bi?user=anna&password=secret", "postgresql://host:5432/bi?user=anna&password=***"),
        (
            "postgresql://host/bi?password=se%20cret&sslmode=require",
            "postgresql://host/bi?password=***&sslmode=require",
        ),
    ],
)
def test_an_address_is_shown_without_its_password(url: str, shown: str) -> None:
    assert Server(url).shown == shown
