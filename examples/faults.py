"""What goes wrong: files and folders that must be rejected, queried or refused, each with the rule it should meet.

Belongs here: every deliberate fault of the example network, and the folder it lies in.
Does not: ordinary late, missing or corrected files (folders.py, distributions/plans.csv), or the rules themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from examples.exports import contract_table
from examples.folders import known_in, reported
from examples.model import Value
from examples.tables import Community
from examples.workbook import Cell, delimited, workbook


class Fault(NamedTuple):
    """A faulty file: its folder, name and bytes, and the finding rules that must meet it."""

    community_id: str
    folder: str
    name: str
    content: bytes
    rules: tuple[str, ...]


HEADER = "school_year,indicator,dimension,group,numerator,denominator,value\n"
GOOD_ROW = "2016,suspension_rate_pct,all,all,40,1000,\n"
ALONE = frozenset({("umbra_springs", "2019"), ("vireo_fields", "2021")})
"""Folders that hold nothing but their faults: submissions that are rejected as a whole."""

UNKNOWN_LAYOUT = "Campus tile,Widget,Sparkline\nNorth wing,17,up\nSouth wing,21,flat\n"
BAD_ROWS = (
    "2018,suspension_rate_pct,all,all,410,400,\n"
    "2018,suspension_rate_pct,gender,female,20,200,31.0\n"
    "2018,suspension_rate_pct,gender,male,1.5e2,200,\n"
    "2018,suspension_rate_pct,economic_status,yes,-4,200,\n"
    "2018,suspension_rate_pct,economic_status,no,nan,200,\n"
    "2031,suspension_rate_pct,english_learner,yes,4,200,\n"
    "spring,suspension_rate_pct,english_learner,no,4,200,\n"
    "2018,suspension_rate_pct,disability,yes,14,200,7.0\n"
)
UNMAPPED = (
    "2021,Kindergarten Joy Index,all,all,40,100,\n"
    "2021,suspension_rate_pct,Bus Route,Route 7,4,100,\n"
    "2021,suspension_rate_pct,race_ethnicity,Newcomer Academy,3,60,\n"
    "2021,suspension_rate_pct,all,all,31,900,\n"
)
PERSONS = (
    "student_id,first_name,last_name,date_of_birth,grade,days_absent\n"
    "90001,Testy,McInvented,2011-01-01,3,4\n"
    "90002,Sample,Nobody,2011-02-02,3,11\n"
    "90003,Placeholder,Example,2011-03-03,3,0\n"
)


def faults() -> list[Fault]:
    """The faults that do not depend on the figures."""
    return [*file_faults(), *row_faults(), *folder_faults()]


def file_faults() -> list[Fault]:
    """Files that cannot be read, or are of no known kind."""
    broken = workbook({"indicator_values": (HEADER.strip().split(","), [])})[:900]
    return [
        Fault("alderwick_bend", "2016", "export.csv", b"", ("empty_file",)),
        Fault("amberly_shoals", "2018", "dashboard.csv", UNKNOWN_LAYOUT.encode(), ("unknown_layout",)),
        Fault(
            "ashgrove_hollow", "2019", "photo.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, ("binary_content",)
        ),
        Fault("aspenreach", "2017", "meeting_notes.docx", b"PK\x03\x04 not a table", ("unsupported_file",)),
        Fault(
            "copperline", "2017", "quoted.csv", f'{HEADER}2017,"suspension_rate_pct,all\n'.encode(), ("unclosed_quote",)
        ),
        Fault(
            "coralton_bay",
            "2021",
            "ragged.csv",
            f"{HEADER}{GOOD_ROW}2017,suspension_rate_pct,all,all,1,2,,9,9\n".encode(),
            ("ragged_row",),
        ),
        Fault("dovetail_harbor", "2022", "values.xlsx", broken, ("unreadable_file",)),
        Fault("eastmoor_junction", "2021", "values.xlsm", broken, ("macro_workbook",)),
        Fault("elderquay", "2019", "values.xlsb", broken, ("xlsb_refused",)),
        Fault(
            "foxglove_heights",
            "2018",
            "accents.csv",
            HEADER.encode() + b"2017,caf\x81\xe9,all,all,1,2,\n",
            ("bad_encoding",),
        ),
        Fault("umbra_springs", "2019", "dashboard.csv", UNKNOWN_LAYOUT.encode(), ("unknown_layout",)),
        Fault("umbra_springs", "2019", "export.csv", b"", ("empty_file",)),
        Fault("vireo_fields", "2021", "export.csv", b"", ("empty_file",)),
    ]


def row_faults() -> list[Fault]:
    """Files of the right form whose rows are wrong, unmapped, or about single persons."""
    errors = ("numerator_above_denominator", "value_mismatch", "school_year_in_future", "bad_school_year", "bad_cell")
    unmapped = ("unmapped_indicator", "unmapped_dimension", "unmapped_group")
    no_group = "school_year,indicator,dimension,value\n2023,suspension_rate_pct,all,4.1\n"
    explained = "finding_id,text\n0000000000000000,The school counted twice in spring; corrected in summer\n"
    return [
        Fault("bannerfield", "2019", "suspensions.csv", f"{HEADER}{BAD_ROWS}".encode(), errors),
        Fault("beacon_ferry", "2021", "new_measures.csv", f"{HEADER}{UNMAPPED}".encode(), unmapped),
        Fault("cottonwood_span", "2020", "students.csv", PERSONS.encode(), ("person_level",)),
        Fault("granite_arbor", "2023", "short.csv", no_group.encode(), ("missing_column",)),
        Fault("farthing_ridge", "2019", "explanations.csv", explained.encode(), ()),
    ]


def folder_faults() -> list[Fault]:
    """Folders of no community or no year, and a file that lies in no folder of a year."""
    rows = f"{HEADER}{GOOD_ROW}".encode()
    return [
        Fault("atlantis_bay", "2024", "indicator_values.csv", rows, ("unknown_community",)),
        Fault("beacon_ferry", "20l9", "indicator_values.csv", rows, ("unknown_year",)),
        Fault("alderwick_bend", "2031", "indicator_values.csv", rows, ("unknown_year",)),
        Fault("amberly_shoals", "", "left_behind.csv", rows, ("stray_file",)),
    ]


def figure_faults(community: Community, values: Sequence[Value], year: int) -> list[Fault]:
    """Faults made from the year's own figures: the same rows once more, or other figures for the same keys."""
    where = (community.community_id, str(year))
    graduation = [
        value
        for value in values
        if value.indicator == "graduation_4yr_pct"
        and reported(community, value)
        and known_in(value, year)
        and (value.denominator or 0) >= 100
    ]
    if where == ("calder_mesa", "2018"):
        return [Fault(*where, "z_copy.csv", _contract(community, graduation[:5]), ("duplicate_row",))]
    if where == ("candlewood_flats", "2019"):
        other = [value._replace(numerator=(value.numerator or 0) - 7) for value in graduation[:3]]
        return [Fault(*where, "second_opinion.csv", _contract(community, other), ("conflicting_rows",))]
    return []


def _contract(community: Community, values: Sequence[Value]) -> bytes:
    header, rows = contract_table(community, values)
    cells: Sequence[Sequence[Cell]] = rows
    return delimited(header, cells).encode("utf-8")
