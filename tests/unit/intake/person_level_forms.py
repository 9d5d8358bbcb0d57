"""Forms of the corpus of data on single persons, written as the files that members send.

Belongs here: one writer for each `form` of person_level_corpus/*.json: (name of the file, its bytes).
Does not: the forms themselves, or any expectation.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.comments import Comment

CORPUS = Path(__file__).with_name("person_level_corpus")
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
Rows = list[list[str]]
Form = dict[str, Any]


def forms(kind: str) -> list[Form]:
    """The forms of one kind: positive or negative."""
    listed: list[Form] = json.loads((CORPUS / f"{kind}.json").read_text(encoding="utf-8"))
    return listed


def written(form: Form) -> tuple[str, bytes]:
    """The file of a form: its name and bytes."""
    return WRITERS[form.get("form", "csv")](form)


def _text(rows: Rows, delimiter: str = ",", quoting: int = csv.QUOTE_MINIMAL) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n", quoting=quoting).writerows(rows)  # type: ignore[arg-type]
    return out.getvalue()


def _csv(form: Form) -> tuple[str, bytes]:
    return "table.csv", _text(form["rows"]).encode()


def _zipped(entries: dict[str, bytes | str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in entries.items():
            package.writestr(name, data)
    return out.getvalue()


def _cell(text: str) -> object:
    return int(text) if text.isdecimal() and len(text) < 7 else text


def _book(sheets: dict[str, Rows]) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append([_cell(cell) for cell in row])
    return book


def _saved(book: openpyxl.Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _xlsx(form: Form) -> tuple[str, bytes]:
    return "table.xlsx", _saved(_book({"Data": form["rows"]}))


def _xlsm(form: Form) -> tuple[str, bytes]:
    return "table.xlsm", _xlsx(form)[1]


def _second(state: str) -> Callable[[Form], tuple[str, bytes]]:
    def write(form: Form) -> tuple[str, bytes]:
        book = _book({"Totals": form["rows"], "Working": form.get("second", form["rows"])})
        book["Working"].sheet_state = state
        return "table.xlsx", _saved(book)

    return write


def _tabs(form: Form) -> tuple[str, bytes]:
    return "table.xlsx", _saved(_book({"Totals": form["rows"], **dict.fromkeys(form["tabs"], form["rows"])}))


def _comment(form: Form) -> tuple[str, bytes]:
    book = _book({"Totals": form["rows"]})
    book["Totals"]["B3"].comment = Comment(form["comment"], "Analyst")
    return "table.xlsx", _saved(book)


def _with_parts(form: Form, parts: dict[str, str]) -> tuple[str, bytes]:
    data = _saved(_book({"Totals": form["rows"]}))
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        own: dict[str, bytes | str] = {name: package.read(name) for name in package.namelist()}
    return "table.xlsx", _zipped({**own, **parts})


def _pivot(form: Form) -> tuple[str, bytes]:
    head, *rows = form["second"]
    fields = "".join(
        f'<cacheField name="{escape(name)}"><sharedItems>'
        + "".join(f'<s v="{escape(row[i])}"/>' for row in rows)
        + "</sharedItems></cacheField>"
        for i, name in enumerate(head)
    )
    xml = f'<pivotCacheDefinition xmlns="{MAIN}"><cacheFields>{fields}</cacheFields></pivotCacheDefinition>'
    return _with_parts(form, {"xl/pivotCache/pivotCacheDefinition1.xml": xml})


def _sheet_data(rows: Rows, cell: str) -> str:
    lines = "".join(
        f'<row r="{r}">'
        + "".join(cell.format(place=f"{chr(65 + c)}{r}", text=escape(t)) for c, t in enumerate(row))
        + "</row>"
        for r, row in enumerate(rows, 1)
    )
    return f"<sheetData>{lines}</sheetData>"


def _external(form: Form) -> tuple[str, bytes]:
    inner = _sheet_data(form["second"], '<cell r="{place}" t="str"><v>{text}</v></cell>')
    xml = (
        f'<externalLink xmlns="{MAIN}"><externalBook><sheetDataSet>{inner}</sheetDataSet></externalBook></externalLink>'
    )
    return _with_parts(form, {"xl/externalLinks/externalLink1.xml": xml})


def _orphan(form: Form) -> tuple[str, bytes]:
    inner = _sheet_data(form["second"], '<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>')
    return _with_parts(form, {"xl/worksheets/sheet99.xml": f'<worksheet xmlns="{MAIN}">{inner}</worksheet>'})


def _chart(form: Form) -> tuple[str, bytes]:
    points = "".join(f'<c:pt idx="{i}"><c:v>{escape(row[0])}</c:v></c:pt>' for i, row in enumerate(form["second"]))
    xml = (
        '<c:chartSpace xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart"><c:cat><c:strCache>'
        f"{points}</c:strCache></c:cat></c:chartSpace>"
    )
    return _with_parts(form, {"xl/charts/chart1.xml": xml})


def _html(form: Form) -> tuple[str, bytes]:
    lines = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in form["rows"])
    return "table.xls", f"<html><head><title>Export</title></head><body><table>{lines}</table></body></html>".encode()


def _spreadsheetml(form: Form) -> tuple[str, bytes]:
    lines = "".join(
        "<Row>" + "".join(f'<Cell><Data ss:Type="String">{escape(c)}</Data></Cell>' for c in row) + "</Row>"
        for row in form["rows"]
    )
    space = "urn:schemas-microsoft-com:office:spreadsheet"
    xml = (
        f'<?xml version="1.0"?><Workbook xmlns="{space}" xmlns:ss="{space}"><Worksheet ss:Name="A"><Table>{lines}'
        "</Table></Worksheet></Workbook>"
    )
    return "table.xls", xml.encode()


def _records(rows: Rows) -> list[dict[str, str]]:
    head, *rest = rows
    return [dict(zip(head, row, strict=False)) for row in rest]


def _ods(form: Form) -> tuple[str, bytes]:
    lines = "".join(
        "<table:table-row>"
        + "".join(f"<table:table-cell><text:p>{escape(c)}</text:p></table:table-cell>" for c in row)
        + "</table:table-row>"
        for row in form["rows"]
    )
    xml = (
        '<office:document-content xmlns:office="o" xmlns:table="t" xmlns:text="x"><office:body><office:spreadsheet>'
        f'<table:table table:name="A">{lines}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    return "table.ods", _zipped({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": xml})


def _document(body: str) -> bytes:
    xml = f'<w:document xmlns:w="w"><w:body>{body}</w:body></w:document>'
    return _zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": xml})


def _docx_table(form: Form) -> tuple[str, bytes]:
    lines = "".join(
        "<w:tr>" + "".join(f"<w:tc><w:p><w:r><w:t>{escape(c)}</w:t></w:r></w:p></w:tc>" for c in row) + "</w:tr>"
        for row in form["rows"]
    )
    return "table.docx", _document(f"<w:tbl>{lines}</w:tbl>")


def _docx_lines(form: Form) -> tuple[str, bytes]:
    lines = "".join(f"<w:p><w:r><w:t>{escape(' '.join(row))}</w:t></w:r></w:p>" for row in form["rows"])
    return "minutes.docx", _document(lines)


def _prose(form: Form) -> tuple[str, bytes]:
    return "notes.txt", "\n".join(row[0] for row in form["rows"]).encode()


WRITERS: dict[str, Callable[[Form], tuple[str, bytes]]] = {
    "csv": _csv,
    "tsv": lambda form: ("table.tsv", _text(form["rows"], "\t").encode()),
    "semicolon": lambda form: ("table.csv", _text(form["rows"], ";").encode()),
    "utf16": lambda form: ("table.txt", _text(form["rows"], "\t").encode("utf-16")),
    "dat": lambda form: ("table.dat", _text(form["rows"], "|").encode()),
    "quoted_lines": lambda form: ("table.csv", "".join(f'"{",".join(row)}"\n' for row in form["rows"]).encode()),
    "xlsx": _xlsx,
    "xlsm": _xlsm,
    "xlsx_hidden": _second("hidden"),
    "xlsx_very_hidden": _second("veryHidden"),
    "xlsx_second": _second("visible"),
    "xlsx_tabs": _tabs,
    "xlsx_comment": _comment,
    "xlsx_pivot": _pivot,
    "xlsx_external": _external,
    "xlsx_orphan": _orphan,
    "xlsx_chart": _chart,
    "html_xls": _html,
    "spreadsheetml_xls": _spreadsheetml,
    "json": lambda form: ("table.json", json.dumps({"rows": _records(form["rows"])}).encode()),
    "json_lines": lambda form: ("table.txt", "\n".join(map(json.dumps, _records(form["rows"]))).encode()),
    "zip_csv": lambda form: ("upload.zip", _zipped({"folder/table.csv": _text(form["rows"])})),
    "zip_in_zip": lambda form: ("upload.zip", _zipped({"a.zip": _zipped({"table.csv": _text(form["rows"])})})),
    "zip_xlsx": lambda form: ("upload.zip", _zipped({"table.xlsx": _xlsx(form)[1]})),
    "gz": lambda form: ("table.csv.gz", gzip.compress(_text(form["rows"]).encode(), mtime=0)),
    "ods": _ods,
    "prose": _prose,
    "docx_table": _docx_table,
    "docx_lines": _docx_lines,
}
