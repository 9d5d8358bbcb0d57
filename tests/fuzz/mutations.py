"""Files of every kind that is read, and what can happen to them on the way.

Belongs here: whole files to start from, and mutations: cut, flipped, reordered, written otherwise, cells made odd.
Does not: running intake over them (harness.py), expectations.
"""

from __future__ import annotations

import io
import random
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import openpyxl
import polars as pl

from dagster_project.lib.base.workbook_bytes import stable_bytes

SAMPLES = Path(__file__).resolve().parents[2] / "contracts" / "layouts" / "samples"
HEADER = ("school_year", "indicator", "dimension", "group", "numerator", "denominator", "value", "series", "geography")
GROUPS = (("all", "all"), ("gender", "female"), ("race_ethnicity", "black"), ("economic_status", "yes"))
ODD_CELLS = (
    "", " ", "0", "-0", "1e999", "NaN", "inf", "-1", "1,2,3", "99999999999999999999", "1.0000000000000000001", "<5",
    ">95%", "*", "‡", "n<10", "=cmd|' /C calc'!A0", "@SUM(1)", "2022-23", "2022-24", "9999", "\u202e123", "\ufeff",
    "a" * 40_000, '"', "'", ";", "\t", "\u0000", "\ud7ff", "𝟙𝟚", "١٢٣", "½", "100%%", "%", "0.85", "(5)", "1/2",
    "2024-02-30", "TRUE", "#DIV/0!", "\n\n", "\r",
)  # fmt: skip
ENCODINGS = (
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "cp1252",
    "cp437",
    "shift_jis",
    "utf-7",
)

File = tuple[str, bytes]
"""A name and its bytes."""


def rows(draw: random.Random, count: int) -> list[tuple[str, ...]]:
    """Rows of indicator_values, mostly right."""
    lines: list[tuple[str, ...]] = []
    for _ in range(count):
        dimension, group = draw.choice(GROUPS)
        n = draw.randint(10, 400)
        k = draw.randint(0, n)
        year = f"{draw.randint(2012, 2024)}"
        place = draw.choice(["", "", "Säo Paulo", "North End"])
        lines.append(
            (year, "graduation_4yr_pct", dimension, group, str(k), str(n), "", draw.choice(["", "new"]), place)
        )
    return lines


def as_text(table: list[tuple[str, ...]], delimiter: str = ",", ending: str = "\n") -> str:
    """Rows as delimited text."""
    return "".join(delimiter.join(row) + ending for row in [HEADER, *table])


def as_workbook(table: list[tuple[str, ...]], draw: random.Random) -> bytes:
    """Rows as an XLSX, some cells typed, at times with a title above and a second sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    if draw.random() < 0.3:
        sheet.append(["Our yearly report"])
        sheet.append([])
    sheet.append(HEADER)
    for row in table:
        sheet.append([int(cell) if cell.isdigit() and draw.random() < 0.7 else cell or None for cell in row])
    if draw.random() < 0.3:
        book.create_sheet("stories").append(["title", "text", "indicator", "consent", "author_role"])
    buffer = io.BytesIO()
    book.save(buffer)
    return stable_bytes(buffer.getvalue())


def as_parquet(table: list[tuple[str, ...]], draw: random.Random) -> bytes:
    """Rows as Parquet, counts typed."""
    frame = pl.DataFrame(table, schema=list(HEADER), orient="row")
    if draw.random() < 0.5:
        frame = frame.with_columns(pl.col("numerator", "denominator").cast(pl.Int64))
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression=draw.choice(["zstd", "snappy", "uncompressed"]))
    return buffer.getvalue()


def whole_file(draw: random.Random) -> File:
    """A file as a member would send it."""
    table = rows(draw, draw.randint(1, 30))
    kind = draw.choices(["csv", "tsv", "txt", "sample", "xlsx", "parquet"], [5, 1, 1, 4, 4, 2])[0]
    if kind == "sample":
        path = draw.choice(_samples())
        return path.name, path.read_bytes()
    if kind == "xlsx":
        return "values.xlsx", as_workbook(table, draw)
    if kind == "parquet":
        return "values.parquet", as_parquet(table, draw)
    text = as_text(
        table, {"csv": draw.choice(",;|"), "tsv": "\t", "txt": "\t"}[kind], draw.choice(["\n", "\r\n", "\r"])
    )
    return f"values.{kind}", text.encode()


def _samples() -> list[Path]:
    return sorted(path for path in SAMPLES.glob("*/*/*") if path.suffix in (".csv", ".tsv", ".txt", ".xlsx"))


def mutated(draw: random.Random) -> File:
    """A file to which one to three things happened."""
    name, data = whole_file(draw)
    for _ in range(draw.randint(1, 3)):
        choices = TEXT_MUTATIONS if not data.startswith((b"PK", b"PAR1")) else BINARY_MUTATIONS
        if data.startswith(b"PK"):
            choices = [*choices, parts_changed, parts_changed]
        data = draw.choice(choices)(data, draw)
    if draw.random() < 0.05:
        stem = name.rpartition(".")[0]
        name = f"{stem}.{draw.choice(['csv', 'xlsx', 'xls', 'parquet', 'txt', 'xlsb', 'docx', ''])}".rstrip(".")
    return name, data


def cut(data: bytes, draw: random.Random) -> bytes:
    """The file ends, or begins, too early."""
    place = draw.randint(0, len(data))
    return data[:place] if draw.random() < 0.8 else data[place:]


def flipped(data: bytes, draw: random.Random) -> bytes:
    """Some bits are turned over."""
    changed = bytearray(data)
    for _ in range(draw.choice([1, 1, 2, 8, 64])):
        if changed:
            changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def reordered(data: bytes, draw: random.Random) -> bytes:
    """Two stretches of bytes change places."""
    a, b, c = sorted(draw.randint(0, len(data)) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def repeated(data: bytes, draw: random.Random) -> bytes:
    """A stretch of bytes stands there several times."""
    a, b = sorted(draw.randint(0, len(data)) for _ in range(2))
    return data[:b] + data[a : min(b, a + 2_000)] * draw.randint(1, 20) + data[b:]


def spoiled(data: bytes, draw: random.Random) -> bytes:
    """Foreign bytes in the middle."""
    place = draw.randint(0, len(data))
    foreign = draw.choice(
        [b"\0", b"\xff\xfe", b"\x1a", b'"', b"\r", b"\xef\xbb\xbf", b"<!DOCTYPE x>", draw.randbytes(50)]
    )
    return data[:place] + foreign + data[place:]


def lines_shuffled(data: bytes, draw: random.Random) -> bytes:
    """Lines in another order, the header among them."""
    lines = data.splitlines(keepends=True)
    draw.shuffle(lines)
    return b"".join(lines)


def columns_shuffled(data: bytes, draw: random.Random) -> bytes:
    """Cells of each line in another order, the same for all or each its own; some left out."""
    lines = [line.split(b",") for line in data.split(b"\n")]
    width = max(map(len, lines))
    order = draw.sample(range(width), draw.randint(1, width))
    own = draw.random() < 0.3
    changed = [
        [line[place] for place in (draw.sample(order, len(order)) if own else order) if place < len(line)]
        for line in lines
    ]
    return b"\n".join(b",".join(line) for line in changed)


def written_otherwise(data: bytes, draw: random.Random) -> bytes:
    """The same text in another encoding, or read in one and written in another."""
    text = data.decode("utf-8", "replace") if draw.random() < 0.7 else data.decode("cp1252", "replace")
    return text.encode(draw.choice(ENCODINGS), "replace")


def cells_made_odd(data: bytes, draw: random.Random) -> bytes:
    """Some cells hold what cells should not hold."""
    lines = [line.split(b",") for line in data.split(b"\n")]
    for _ in range(draw.randint(1, 12)):
        line = draw.choice(lines)
        line[draw.randrange(len(line))] = draw.choice(ODD_CELLS).encode("utf-8", "surrogatepass")
    return b"\n".join(b",".join(line) for line in lines)


def parts_changed(data: bytes, draw: random.Random) -> bytes:
    """A package whose archive is sound and whose parts are not: cut, flipped, missing, twice there, or inflated."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            parts = [(info.filename, package.read(info)) for info in package.infolist()]
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, OSError, ValueError, EOFError):
        return flipped(data, draw)
    if not parts:
        return data
    place = draw.randrange(len(parts))
    name, content = parts[place]
    kind = draw.randrange(6)
    if kind == 0:
        del parts[place]
    elif kind == 1:
        parts.append((name.upper() if draw.random() < 0.5 else f"xl/worksheets/extra{place}.xml", content))
    elif kind == 2:
        parts[place] = name, content.replace(b"<v>", b"<v>9" * draw.randint(1, 3)).replace(b'r="A', b'r="XFA')
    elif kind == 3:
        parts[place] = name, content + b" " * draw.choice([1_000, 3_000_000])
    else:
        parts[place] = name, draw.choice([cut, flipped, reordered, spoiled])(content, draw)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts:
            package.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


Mutation = Callable[[bytes, random.Random], bytes]
BINARY_MUTATIONS: list[Mutation] = [cut, flipped, flipped, reordered, repeated, spoiled]
TEXT_MUTATIONS: list[Mutation] = [
    *BINARY_MUTATIONS,
    lines_shuffled,
    columns_shuffled,
    written_otherwise,
    *[cells_made_odd] * 3,
]
