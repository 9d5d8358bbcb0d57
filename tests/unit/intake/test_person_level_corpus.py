"""How many forms of data on single persons are refused, and how many others are not, over a corpus of both.

Belongs here: the two rates and their thresholds, and that no refusal repeats a cell of its file.
Does not: the forms (person_level_corpus/), writing them as files (person_level_forms.py), single rules.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dagster_project.lib.base.store import Given
from dagster_project.lib.intake.batch import Intake
from dagster_project.lib.intake.bucket.drop import DroppedFile, Folder
from dagster_project.lib.intake.reading.files import WorkbookReader, read_file
from dagster_project.lib.intake.reading.grid import column_index
from dagster_project.lib.intake.reading.person_level import Hit, look
from dagster_project.lib.intake.take_in import take_in
from tests.unit.intake.comparing import COMMUNITY, REFERENCE
from tests.unit.intake.person_level_forms import Form, forms, written

LEAST_SENSITIVITY = 1.0
MOST_FALSE_ALARMS = 0.0
"""Reached over the corpus; a new form that is missed goes into the corpus first and is mended then."""
FEWEST_FORMS = 60


@pytest.fixture(scope="module")
def workbooks() -> Iterator[WorkbookReader]:
    """One reading process for all forms."""
    with WorkbookReader() as reader:
        yield reader


def hit_of(form: Form, workbooks: WorkbookReader) -> Hit | None:
    name, data = written(form)
    return look(read_file(name, data, workbooks=workbooks).sheets, data)


def test_the_share_of_forms_of_single_persons_that_is_refused(workbooks: WorkbookReader) -> None:
    listed = forms("positive")
    missed = [form["name"] for form in listed if hit_of(form, workbooks) is None]
    sensitivity = 1 - len(missed) / len(listed)
    assert len(listed) >= FEWEST_FORMS
    assert sensitivity >= LEAST_SENSITIVITY, f"sensitivity {sensitivity:.3f} of {len(listed)}; missed: {missed}"


def test_the_share_of_other_forms_that_is_refused(workbooks: WorkbookReader) -> None:
    listed = forms("negative")
    refused = [(form["name"], hit) for form in listed if (hit := hit_of(form, workbooks))]
    rate = len(refused) / len(listed)
    assert len(listed) >= FEWEST_FORMS
    assert rate <= MOST_FALSE_ALARMS, f"false alarms {rate:.3f} of {len(listed)}: {refused}"


@pytest.mark.parametrize("form", forms("positive"), ids=lambda form: form["name"])
def test_a_refusal_keeps_nothing_and_says_nothing_of_the_cells(form: Form, workbooks: WorkbookReader) -> None:
    name, data = written(form)
    kept: list[str] = []
    folder = Folder(COMMUNITY, 2024, (DroppedFile(name, name, len(data), "tag"),))
    (taken,) = take_in(Intake(REFERENCE), [folder], Given(lambda _: data), lambda key, _: kept.append(key), workbooks)
    assert kept == []
    assert taken.tables["files"]["kind"].to_list() == ["refused"]
    assert not {"observations", "register_rows"} & {key for key, frame in taken.tables.items() if frame.height}
    (finding,) = taken.tables["findings"].to_dicts()
    assert (finding["rule_id"], finding["severity"]) == ("person_level", "fatal")
    told = " ".join(str(value) for key, value in finding.items() if key not in ("source_file", "source_row"))
    cells = {cell for key in ("rows", "second") for row in form.get(key, []) for cell in row if len(cell) > 4}
    own_words = {"Score", "Grade", "School", "Student", "Child", "Pupil", "group", "indicator", "value"}
    assert not [cell for cell in cells - own_words if cell in told and not cell.isalpha()]
    assert not [word for word in ("Inventado", "Nowhereson", "Trandeng", "Fictif") if word in told]


@pytest.mark.parametrize(
    ("name", "sheet", "row", "column"),
    [
        ("header Student_ID", "", 1, "A"),
        ("header below row 30", "", 36, "A"),
        ("roster on a hidden sheet", "Working", 1, "A"),
        ("roster on a second sheet", "Working", 1, "A"),
        ("social security number in a comment", "Totals", 3, "B"),
        ("a child's name as group of one", "", 3, "D"),
        ("birth date said in a note", "", 2, "B"),
        ("roster as zip_csv", "folder/table.csv", 1, "A"),
        ("names in a pivot cache", "the stored data of a pivot table", 1, "A"),
    ],
)
def test_the_place_is_told(name: str, sheet: str, row: int, column: str, workbooks: WorkbookReader) -> None:
    (form,) = [form for form in forms("positive") if form["name"] == name]
    hit = hit_of(form, workbooks)
    assert hit is not None
    assert (hit.sheet, hit.row, hit.column) == (sheet, row, column)
    assert column_index(column) >= 0 and hit.reason
