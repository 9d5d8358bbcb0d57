"""Charts of a page, held against the mart cells that they name: where a mark stands on its scale, and what it says.

Belongs here: reading data-row, data-column, data-at and data-bar of pictures, and scales by their labels.
Does not: figures in text and tables (traced.py), or make pages and databases.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from tests.sentences import shown

Row = Mapping[str, object]
Rows = Mapping[tuple[str, str], Row]
PIXEL = 0.16
"""How far a mark may stand from its place: both it and the labels of the scale are printed to a tenth."""
_CHART = re.compile(r'<svg class="(?:chart [^"]*|bar)".*?</svg>', re.DOTALL)
_SPOT = re.compile(r"(-?[\d.]+) (-?[\d.]+)")
_CORNER = re.compile(r"[ML]\s*(-?[\d.]+) (-?[\d.]+)")
_SERIES_IN_KEY = {"fct_trend_point", "fct_gap_year"}
Scale = Callable[[float], float]
Said = tuple[list[str], Counter[str]]


def faults(html: str, rows: Rows, known: Mapping[str, Row], count: Callable[[str], int]) -> Said:
    """Every mark of a page's pictures that its cell contradicts, and how many of each kind were looked at."""
    found, seen, index = list[str](), Counter[str](), by_year(rows)
    for drawn in _CHART.findall(html):
        picture = ElementTree.fromstring(drawn)
        kind = (picture.get("class") or "").split()[-1]
        for what, wrong in _READERS[kind](picture, rows, known, index, count):
            seen[f"drawn {what}"] += 1
            found += [f"{kind} {picture.get('aria-labelledby')} {what}: {wrong}"] if wrong else []
    return found, seen


Index = Mapping[tuple[str, str, int], list[Row]]


def by_year(rows: Rows) -> Index:
    """Rows by table, key without series and year, and year."""
    index: dict[tuple[str, str, int], list[Row]] = defaultdict(list)
    for (table, key), row in rows.items():
        parts = key.split("/")
        if parts[-1].isdigit():
            head = parts[:3] if table in _SERIES_IN_KEY else parts[:-1]
            index[table, "/".join(head), int(parts[-1])].append(row)
    return index


def _number(text: str | None) -> float:
    return float((text or "").replace("\N{MINUS SIGN}", "-").replace(",", "").replace("+", "").rstrip("%"))


def _value(row: Row | None, column: str) -> float | None:
    value = (row or {}).get(column)
    return float(value) if isinstance(value, int | float) else None


def _place(element: Element, name: str) -> float:
    return float(element.get(name) or "nan")


def _scale(labels: list[tuple[float, float]]) -> Scale:
    """Where a value stands, by the labels of a scale: their figures and places."""
    (low, at_low), (high, at_high) = min(labels), max(labels)
    return lambda value: at_low + (value - low) * (at_high - at_low) / (high - low)


def _off(scale: Scale, value: float | None, place: float) -> str:
    if value is None:
        return "no such cell"
    return "" if abs(scale(value) - place) <= PIXEL else f"stands at {place}, {value} would be {scale(value):.2f}"


def _said(element: Element, value: float | None) -> str:
    """Whether a mark's own words end with the value as pages print it."""
    title = element.findtext("title") if element.tag == "circle" else element.text
    figure = (title or "").rpartition(": ")[2].split(" (")[0].split("%")[0].split(" ")[0]
    return "" if value is not None and figure == shown(value) else f"says {title!r}, the cell {value}"


def _heights(picture: Element) -> Scale:
    ends = [t for t in picture.iter("text") if t.get("text-anchor") == "end" and t.get("dy") == ".35em"]
    return _scale([(_number(t.text), _place(t, "y")) for t in ends])


def _trend(
    picture: Element, rows: Rows, known: Mapping[str, Row], index: Index, count: Callable[[str], int]
) -> Iterator[tuple[str, str]]:
    heights = _heights(picture)
    table, _, key = (picture.get("data-row") or "").partition(":")
    stored = sum(1 for (t, k), r in rows.items() if t == table and k.startswith(f"{key}/") and r["value"] is not None)
    points = [c for c in picture.findall("circle") if c.get("data-at")]
    yield "every point", "" if len(points) == stored else f"{len(points)} of {stored} values are drawn"
    for element in [*points, *(t for t in picture.findall("text") if t.get("data-at"))]:
        value = _value(rows.get((table, f"{key}/{element.get('data-at')}")), "value")
        yield "label" if element.tag == "text" else "point", _said(element, value)
        if element.tag == "circle":
            yield "place", _off(heights, value, _place(element, "cy"))
    for element in picture.findall("path[@class='range']"):
        row = rows.get(("fct_indicator_value", f"{key}/{element.get('data-at')}"))
        said = element.findtext("title") or ""
        ends = [value for value in (_value(row, "value_low"), _value(row, "value_high")) if value is not None]
        yield "range", "" if ends and all(shown(v) in said for v in ends) else f"{said!r}: {ends}"
    for group in picture.findall("g[@data-row]"):
        other, _, area = (group.get("data-row") or "").partition(":")
        for circle in group.findall("circle"):
            value = _value(rows.get((other, f"{area}/{circle.get('data-at')}")), "value")
            yield "value of others", _said(circle, value) or _off(heights, value, _place(circle, "cy"))
    trend = rows.get(("fct_trend", key), {})
    for line in picture.findall("line[@class='fit']"):
        last, slope = _value(trend, "intercept"), _value(trend, "slope") or 0.0
        span = (_value(trend, "last_year") or 0.0) - (_value(trend, "first_year") or 0.0)
        yield "fitted line", _off(heights, last, _place(line, "y2"))
        yield "fitted line", _off(heights, None if last is None else last - slope * span, _place(line, "y1"))


def own_marks(drawing: str, rows: Rows) -> Said:
    """Marks of the Explore page's picture that name a cell of their own: where they stand, and what they say."""
    found, seen, picture = list[str](), Counter[str](), ElementTree.fromstring(drawing)
    heights = _heights(picture)
    for mark in picture.iter():
        if column := mark.get("data-column"):
            table, _, key = (mark.get("data-row") or "").partition(":")
            value, ends = (
                _value(rows.get((table, key)), column),
                [float(y) for _, y in _CORNER.findall(mark.get("d") or "")],
            )
            middle = (min(ends) + max(ends)) / 2 if ends else _place(mark, "y") + _place(mark, "height") / 2
            says = (
                "" if value is not None and f"{shown(value)}%" in (mark.findtext("title") or "") else "says another one"
            )
            seen[f"{mark.tag} of {table}"] += 1
            found += [f"{key} {column}: {wrong}" for wrong in (_off(heights, value, middle), says) if wrong]
    return found, seen


def _panel(
    picture: Element, rows: Rows, known: Mapping[str, Row], index: Index, count: Callable[[str], int]
) -> Iterator[tuple[str, str]]:
    heights, texts = _heights(picture), picture.findall("text")
    years = [t for t in texts if re.fullmatch(r"\d{4}", t.text or "") and not t.get("dy") and not t.get("class")]
    (first, left), (last, right) = ((int(t.text or 0), _place(t, "x")) for t in years)
    for group in picture.findall("g[@data-row]"):
        table, _, key = (group.get("data-row") or "").partition(":")
        column, path = group.get("data-column") or "", group.find("path")
        spots = [(float(x), float(y)) for x, y in _SPOT.findall("" if path is None else path.get("d") or "")]
        spots += [(_place(c, "cx"), _place(c, "cy")) for c in group.findall("circle")]
        for x, y in spots:
            year = first + round((x - left) * (last - first) / (right - left))
            values = [v for r in index.get((table, key, year), ()) if (v := _value(r, column)) is not None]
            values = [100 * v for v in values] if column.startswith("share_") else values
            near = min((_off(heights, v, y) for v in values), key=len, default="no such cell")
            yield f"line of {table}", near and f"{key} {column} {year}: {near}"
        if path is None or path.get("class") == "line":
            every = [r for (t, k, _), found in index.items() if (t, k) == (table, key) for r in found]
            stored = sum(1 for r in every if r[column] is not None and r.get("gap", 0) is not None)
            yield "every value", "" if len(spots) == stored else f"{key}: {len(spots)} of {stored} values are drawn"
    below = next((t for t in texts if t.get("data-row")), None)
    gap = rows.get(("fct_gap", (below.get("data-row") or "").partition(":")[2]), {}) if below is not None else {}
    direction = (known.get(str(gap.get("indicator_id"))) or {}).get("direction")
    for css, column in (("fit", "group_slope"), ("other-fit", "reference_slope")):
        for line in picture.findall(f"line[@class='{css}']"):
            span = (_place(line, "x2") - _place(line, "x1")) * (last - first) / (right - left)
            rise = (_value(gap, column) or 0.0) * span * (1 if direction == 1 else -1)
            drawn = _place(line, "y2") - _place(line, "y1")
            off = abs(heights(rise) - heights(0.0) - drawn)
            yield "fitted side", "" if off <= 2 * PIXEL else f"rises {drawn}, {column} would be {rise}"


def _spread(
    picture: Element, rows: Rows, known: Mapping[str, Row], index: Index, count: Callable[[str], int]
) -> Iterator[tuple[str, str]]:
    ticks = [t for t in picture.findall("text") if re.fullmatch(r"[+\N{MINUS SIGN}]?\d+(\.\d)?", t.text or "")]
    across, told = _scale([(_number(t.text), _place(t, "x")) for t in ticks]), picture.findtext("desc") or ""
    marks = [(m, [("cx", "slope_median")]) for m in picture.findall("circle[@class='median']")]
    marks += [(m, [("x1", "slope_q1"), ("x2", "slope_q3")]) for m in picture.findall("line[@class='quartiles']")]
    for mark, ends in marks:
        table, _, key = (mark.get("data-row") or "").partition(":")
        for name, column in ends:
            value = _value(rows.get((table, key)), column)
            yield column, _off(across, value, _place(mark, name))
            yield "spoken", "" if value is not None and shown(value, signed=True) in told else f"{told!r}: {value}"


def _bar(
    picture: Element, rows: Rows, known: Mapping[str, Row], index: Index, count: Callable[[str], int]
) -> Iterator[tuple[str, str]]:
    parts = [(r, count(r.get("data-bar") or "")) for r in picture.findall("rect")]
    whole = sum(n for _, n in parts)
    for part, n in parts:
        said, wide = (part.findtext("title") or "").rpartition(": ")[2], _place(part, "width")
        right = said == f"{n}" and abs(wide - 100 * n / whole) <= PIXEL
        yield "part of a bar", "" if right else f"{part.get('data-bar')} {said} {wide}: {n} of {whole}"


_READERS = {"trend": _trend, "panel": _panel, "spread": _spread, "bar": _bar}
