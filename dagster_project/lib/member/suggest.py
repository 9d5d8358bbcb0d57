"""Proposals for labels that no crosswalk maps: which code, how alike, and the exact line of CSV to add.

Belongs here: likeness of labels by their letters, and measuring it on known labels held out.
Does not: changing any seed (a person adds the line), or resolving labels (labels.py).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.feature_extraction.text import TfidfVectorizer

from dagster_project.lib.base.engine import Connection
from dagster_project.lib.base.names import NETWORK_FOLDER
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.intake.rows.codes import CodeTables
from dagster_project.lib.intake.rows.labels import normalised, resolve

SHOWN = 3
LEAST = 0.4
"""Least score of a proposal: of known labels held out, 98 of 100 right indicators, all right dimensions and 88 of 100
right groups score more; where the right code is left out as well, a quarter to a half of the best ones score less."""
LETTERS = (2, 4)
"""Lengths of the letter groups that are compared, within words."""

KINDS = ("indicator", "dimension", "group", "geography")
TOTAL = "all"
CODE_COLUMNS = {
    "indicator": "indicator_id",
    "dimension": "dimension",
    "group": "group_code",
    "geography": "geography_id",
}
LABELS = {"indicator": "indicator", "dimension": "dimension", "group": "group", "geography": "place"}
ALIKE = pl.Schema({"label": pl.String(), "code": pl.String(), "nearest_label": pl.String(), "score": pl.Float64()})

HELD = """
select distinct community_id, known_from as reporting_year, indicator_id, population_group_id, geography_id
from marts.fct_indicator_value_history
where origin = 'submitted'
order by all
"""
HELD_COLUMNS = pl.Schema(
    {
        "community_id": pl.String(),
        "reporting_year": pl.Int32(),
        "indicator_id": pl.String(),
        "population_group_id": pl.String(),
        "geography_id": pl.String(),
    }
)
WAITING = f"""
select
    coalesce(community_id, '{NETWORK_FOLDER}') as community_id,
    reporting_year, layout_id, raw_indicator, raw_dimension, raw_group, raw_geography,
    sum(n_rows)::integer as n_rows
from marts.fct_waiting_row
group by all
order by all
"""


@dataclass(frozen=True)
class Proposal:
    """One proposed code for a label: `score` is the cosine (0 to 1) with the most alike known label of that code.

    Without a code none fits: `nearest_label` and `score` then say what came nearest. `clash`: what the line would run
    into, blank for nothing.
    """

    kind: str
    label: str
    communities: tuple[str, ...]
    n_rows: int
    code: str | None
    nearest_label: str | None
    score: float
    file: str
    line: str
    clash: str = ""


@dataclass(frozen=True)
class KnownLabels:
    """Known labels of one kind with their codes, ready to be compared with others.

    Likeness is the cosine of TF-IDF weights of letter groups within words (scikit-learn's `char_wb` analyzer, L2
    norm), so that a cosine is a plain product. The table has columns label (normalised) and code.
    """

    table: pl.DataFrame

    @cached_property
    def _fitted(self) -> tuple[TfidfVectorizer, np.ndarray]:
        vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=LETTERS, sublinear_tf=True)
        return vectorizer, vectorizer.fit_transform(self.table["label"].to_list())

    def alike(self, labels: Sequence[str], shown: int = SHOWN) -> pl.DataFrame:
        """For each label its most alike codes, best first: columns of ALIKE. Codes without a likeness are left out."""
        if not labels or not self.table.height:
            return pl.DataFrame(schema=ALIKE)
        vectorizer, known = self._fitted
        scores = (vectorizer.transform(list(labels)) @ known.T).toarray()
        best = [self._best(label, row, shown) for label, row in zip(labels, scores, strict=True)]
        return pl.concat([pl.DataFrame(schema=ALIKE), *best])

    def _best(self, label: str, scores: np.ndarray, shown: int) -> pl.DataFrame:
        scored = self.table.select("code", pl.col("label").alias("nearest_label")).with_columns(
            # Rounded, so that the order never hangs on the last bit.
            score=pl.Series(scores.astype(np.float64)).round(6)
        )
        ordered = scored.filter(pl.col("score") > 0).sort(
            "score", "code", "nearest_label", descending=[True, False, False]
        )
        codes = ordered.unique("code", keep="first", maintain_order=True).head(shown)
        return codes.select(pl.lit(label).alias("label"), "code", "nearest_label", "score")


def known_labels(reference: Reference, codes: CodeTables, kind: str) -> pl.DataFrame:
    """All known labels of one kind: scope, scope_id, dimension (groups) or place key, label, code.

    For places, `dimension` is the community and `scope` is community: a place is only sought among its own.
    """
    if kind != "geography":
        table: pl.DataFrame = getattr(codes, kind)
        return table.select("scope", "scope_id", "dimension", "label", "code").unique(maintain_order=True)
    places = reference.geographies
    own = [places.select("community_id", pl.col(name).alias("label"), "geography_id") for name in ("name", "code")]
    crossed = reference.crosswalk("geography").select(pl.col("scope_id").alias("community_id"), "label", "geography_id")
    return (
        pl.concat([*own, crossed])
        .drop_nulls("label")
        .select(
            pl.lit("community").alias("scope"),
            pl.col("community_id").alias("scope_id"),
            pl.col("community_id").alias("dimension"),
            normalised("label").alias("label"),
            pl.col("geography_id").alias("code"),
        )
        .unique(maintain_order=True)
    )


def waiting_rows(release: Connection) -> pl.DataFrame:
    """Rows of a release that wait for a label, as they were written (blank cells are null)."""
    return release.execute(WAITING).pl().with_columns(pl.col(pl.String).replace("", None))


def held_values(release: Connection) -> pl.DataFrame:
    """What each folder of a release gave a value for (HELD_COLUMNS): where a mapped label could clash."""
    return release.execute(HELD).pl().cast(HELD_COLUMNS)


def unmapped(waiting: pl.DataFrame, codes: CodeTables, reference: Reference) -> pl.DataFrame:
    """Labels of waiting rows that still have no code: kind, dimension, label, communities (sorted), n_rows.

    Seeds may have grown since the release was made; a label that they now map is left out. A group is listed once its
    dimension is known; a place where no other label of its row waits.
    """
    rows, unknown = _resolved(waiting, codes, reference)
    scopes = {"group": "dimension_code", "geography": "community_id"}
    parts = [
        rows.filter(unknown[kind].fill_null(False)).select(
            pl.lit(kind).alias("kind"),
            (pl.col(scopes[kind]) if kind in scopes else pl.lit(None, pl.String)).alias("dimension"),
            pl.col(LABELS[kind]).str.strip_chars().alias("label"),
            "community_id",
            "n_rows",
        )
        for kind in KINDS
    ]
    return (
        pl.concat(parts)
        .group_by("kind", "dimension", normalised("label").alias("_label"), maintain_order=True)
        .agg(
            pl.col("label").sort().first(),
            pl.col("community_id").unique().sort().alias("communities"),
            pl.col("n_rows").sum(),
        )
        .sort("kind", "dimension", "_label", nulls_last=False)
    )


def _resolved(
    waiting: pl.DataFrame, codes: CodeTables, reference: Reference
) -> tuple[pl.DataFrame, dict[str, pl.Expr]]:
    """Waiting rows with the codes that their labels have by now, and by kind which of them lack one."""
    rows = waiting.with_columns(
        pl.lit(None, pl.Int32).alias("school_year"),
        indicator=pl.col("raw_indicator"),
        dimension=pl.col("raw_dimension"),
        group=pl.col("raw_group"),
    )
    rows = rows.with_columns(
        indicator_code=resolve(rows, "indicator", codes.indicator),
        dimension_code=resolve(rows, "dimension", codes.dimension),
    )
    kinds = reference.dimensions.select(pl.col("dimension").alias("dimension_code"), pl.col("kind").alias("dim_kind"))
    rows = rows.join(kinds, on="dimension_code", how="left", maintain_order="left")
    rows = rows.with_columns(group_code=resolve(rows, "group", codes.group, "dimension_code"))
    placed = pl.col("dim_kind") == "geographic"
    unknown = {
        "indicator": pl.col("indicator").is_not_null() & pl.col("indicator_code").is_null(),
        "dimension": pl.col("dimension").is_not_null() & pl.col("dimension_code").is_null(),
        # Some tables leave the group blank and mean all of the dimension.
        "group": pl.col("group").is_not_null()
        & pl.col("dimension_code").is_not_null()
        & ~placed
        & pl.col("group_code").is_null(),
    }
    rows = rows.with_columns(
        place=pl.when(placed).then(pl.col("group")).otherwise(pl.col("raw_geography")),
        _other=pl.any_horizontal(condition.fill_null(False) for condition in unknown.values()),
    )
    places = known_labels(reference, codes, "geography")
    known_places = places.select(
        pl.col("scope_id").alias("community_id"), pl.col("label").alias("_place"), pl.lit(True).alias("_known")
    )
    rows = rows.with_columns(_place=normalised("place")).join(
        known_places.unique(), on=["community_id", "_place"], how="left", maintain_order="left"
    )
    unknown["geography"] = pl.col("place").is_not_null() & ~pl.col("_other") & pl.col("_known").is_null()
    return rows, unknown


def propose(
    waiting: pl.DataFrame,
    reference: Reference,
    codes: CodeTables,
    shown: int = SHOWN,
    held: pl.DataFrame | None = None,
) -> list[Proposal]:
    """Proposals for every label that waits, the best of each label first; `code` is None where none fits (LEAST).

    held: what folders gave values for (`held_values`); with it a proposal says what its rows would stand beside.
    """
    proposals: list[Proposal] = []
    rows, unknown = _resolved(waiting, codes, reference)
    given = pl.DataFrame(schema=HELD_COLUMNS) if held is None else held
    for kind, dimension, folded, label, communities, n_rows in unmapped(waiting, codes, reference).iter_rows():
        pool = _pool(known_labels(reference, codes, kind), dimension, communities)
        if kind == "group":
            own = reference.groups.filter(dimension=dimension)["group_code"].to_list()
            pool = KnownLabels(pool.table.filter(pl.col("code").is_in([*own, TOTAL])))
        alike = list(pool.alike([folded], shown).select("code", "nearest_label", "score").iter_rows())
        nearest, most = alike[0][1:] if alike else (None, 0.0)
        fitting = [row for row in alike if row[2] >= LEAST] or [(None, nearest, most)]
        mine = rows.filter(unknown[kind].fill_null(False) & (normalised(LABELS[kind]) == folded))
        for code, likest, score in fitting:
            file = f"crosswalks/{kind}_labels.csv"
            line = "" if code is None else crosswalk_line(reference, kind, label, code, dimension, communities)
            clash = "" if code is None else _clash(kind, dimension, code, mine, given)
            clash = clash or ("" if code is None else _second_meaning(reference, kind, folded, dimension, communities))
            proposals.append(Proposal(kind, label, tuple(communities), n_rows, code, likest, score, file, line, clash))
    return proposals


def _clash(kind: str, dimension: str | None, code: str, mine: pl.DataFrame, held: pl.DataFrame) -> str:
    """Which folders of the waiting rows give a value for the same indicator, group and place under a known label."""
    group = pl.when(pl.col("group_code") == TOTAL).then(pl.lit(TOTAL))
    wanted = mine.select(
        "community_id",
        "reporting_year",
        indicator_id=pl.lit(code) if kind == "indicator" else pl.col("indicator_code"),
        population_group_id=pl.lit(TOTAL if code == TOTAL else f"{dimension}:{code}")
        if kind == "group"
        else group.otherwise(pl.concat_str("dimension_code", pl.lit(":"), "group_code")),
        geography_id=pl.lit(code) if kind == "geography" else pl.lit(None, pl.String),
    )
    if kind == "dimension":
        known = held.filter(pl.col("population_group_id").str.starts_with(f"{code}:"))
        beside = known.join(wanted, on=["community_id", "reporting_year", "indicator_id"], how="semi")
    else:
        on = ["community_id", "reporting_year", "indicator_id", "population_group_id"]
        placed = [*on, "geography_id"] if kind == "geography" else on
        # A total has no group label that waits; a row whose group waits as well is held against no value.
        beside = held.join(wanted.drop_nulls(on), on=placed, how="semi", maintain_order="left")
    folders = beside.select("community_id", "reporting_year").unique().sort("community_id", "reporting_year").rows()
    if not folders:
        return ""
    names = ", ".join(f"{community}/{year}" for community, year in folders[:SHOWN])
    more = f" and {len(folders) - SHOWN} more" if len(folders) > SHOWN else ""
    return (
        f"{names}{more} already gives values of {code} for the same indicator and group; two for one year would clash"
    )


def _second_meaning(
    reference: Reference, kind: str, folded: str, dimension: str | None, communities: Sequence[str]
) -> str:
    """Whether the crosswalk has the label in the scope of the new line for other years, which must not overlap."""
    alone = kind == "geography" or len(communities) == 1
    lines = reference.crosswalk(kind).filter(normalised("label") == folded)
    lines = lines.filter(pl.col("scope_id") == communities[0] if alone else pl.col("scope") == "global")
    if kind == "group":
        lines = lines.filter(pl.col("dimension").is_null() | (pl.col("dimension") == dimension))
    if lines.is_empty():
        return ""
    code = lines[CODE_COLUMNS[kind]][0]
    return (
        f"the file has the label as {code} for other years; give both lines valid_from and valid_to that do not overlap"
    )


def _pool(pool: pl.DataFrame, dimension: str | None, communities: Sequence[str]) -> KnownLabels:
    """What a label is compared with: the same dimension, and no word that another community has for itself."""
    if dimension is not None:
        pool = pool.filter(pl.col("dimension").is_null() | (pl.col("dimension") == dimension))
    own = (pl.col("scope") != "community") | pl.col("scope_id").is_in(list(communities))
    return KnownLabels(pool.filter(own).select("label", "code").unique(maintain_order=True))


def crosswalk_line(
    reference: Reference, kind: str, label: str, code: str, dimension: str | None, communities: Sequence[str]
) -> str:
    """The line to add to the crosswalk, in the columns of the file as it stands.

    A label of one community is proposed for that community alone; one that several use, for all.
    """
    alone = kind == "geography" or len(communities) == 1
    cells = {
        "scope": "community" if alone else "global",
        "scope_id": communities[0] if alone else "",
        "label": label,
        **({"dimension": dimension or ""} if kind == "group" else {}),
        CODE_COLUMNS[kind]: code,
    }
    header = _header(reference.folder / "crosswalks" / f"{kind}_labels.csv")
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells.get(name, "") for name in header)
    return text.getvalue()


def _header(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return next(csv.reader(lines))


def held_out(pool: pl.DataFrame, shown: int = SHOWN) -> pl.DataFrame:
    """Leave each crosswalk label out in turn and propose its code from the rest: label, code, rank (null: not shown).

    `pool` is `known_labels` of one kind. Labels that read alike leave together, whatever their scope, so that none
    finds itself; groups are sought within their dimension, as `propose` does.
    """
    asked = pool.filter(pl.col("scope").is_in(["global", "community"]) & ~_same_as_dictionary(pool))
    asked = asked.select("dimension", "label", "code").unique(maintain_order=True).sort("dimension", "label", "code")
    ranks = [_rank(pool, dimension, label, code, shown) for dimension, label, code in asked.iter_rows()]
    return asked.select("label", "code").with_columns(rank=pl.Series(ranks, dtype=pl.Int32))


def _same_as_dictionary(pool: pl.DataFrame) -> pl.Expr:
    own = pool.filter(pl.col("scope") == "dictionary")["label"].to_list()
    return pl.col("label").is_in(own)


def _rank(pool: pl.DataFrame, dimension: str | None, label: str, code: str, shown: int) -> int | None:
    rest = pool.filter(pl.col("label") != label)
    if dimension is not None:
        rest = rest.filter(pl.col("dimension").is_null() | (pl.col("dimension") == dimension))
    found = (
        KnownLabels(rest.select("label", "code").unique(maintain_order=True)).alike([label], shown)["code"].to_list()
    )
    return found.index(code) + 1 if code in found else None
