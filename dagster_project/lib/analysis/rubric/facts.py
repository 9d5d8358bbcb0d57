"""Computed facts of the rubric, from registers and values as known at each reporting year.

Belongs here: what a register says at a reporting year, and one rule per kind of fact, over all communities at once.
Does not: claims, reviewers or the roll-up (criteria), thresholds (seeds/rulesets) or which criterion uses which rule.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import polars as pl

import contracts
from contracts.base import TableContract

Parameters = Mapping[str, "str | float | None"]
Tables = Mapping[str, pl.DataFrame]

AT = ["community_id", "reporting_year"]
FACT_COLUMNS = [*AT, "criterion_id", "computed_status", "evidence"]
FOREVER = 9999
DAYS_AFTER = "days after the assessment date"
# The dates that say when a row of a log became a fact; a row counts from the latest of them on.
FACT_DATES: dict[str, tuple[str, ...]] = {
    "partner_roster": ("active_from",),
    "funding": ("start_date",),
    "benchmark_evidence": ("as_of",),
    "examples": ("first_evidenced_on", "as_of"),
    "communications": ("date",),
    "report_card_items": ("release_date",),
    "data_sharing_agreements": ("start_date",),
    "burdened_groups": ("effective_from",),
    "review_decisions": ("decided_on",),
    "gateway_decisions": ("decided_on",),
    "scores": ("decided_on",),
}


@dataclass(frozen=True)
class RegisterMemory:
    """How a register is known over years: a `state` is replaced as a whole, of a `log` the newest year wins by key.

    `spoken`: where the contract's key ends in the day a row speaks of, that day. Only the latest word on the rest of
    the key is then kept, so that long histories stay small.
    """

    memory: str
    key: tuple[str, ...]
    spoken: tuple[str, ...] = ()


# Of these registers only the latest word counts, by the day it speaks of.
LATEST_WORD = {"benchmark_evidence": "as_of", "review_decisions": "decided_on", "scores": "decided_on"}


def _memory(contract: TableContract) -> RegisterMemory:
    # A network table names the community in its rows; known rows are grouped by it already.
    day = LATEST_WORD.get(contract.table)
    key = tuple(part for part in contract.key if part not in ("community_id", day))
    return RegisterMemory(contract.memory, key, (day,) if day else ())


REGISTERS: dict[str, RegisterMemory] = {
    name: _memory(contract) for name, contract in contracts.landed_registers().items()
}


def number(parameters: Parameters, name: str) -> float | None:
    """A parameter as a number, None where it is blank; KeyError when there is no such parameter."""
    value = parameters[name]
    return None if value is None or value == "" else float(value)


def needed(parameters: Parameters, name: str) -> float:
    """A parameter that must hold a number; ValueError where it is blank."""
    value = number(parameters, name)
    if value is None:
        raise ValueError(f"parameter {name} is blank; a number is needed")
    return value


def codes(parameters: Parameters, name: str) -> list[str]:
    """A parameter that lists codes, separated by blanks."""
    return str(parameters[name] or "").split()


def flag(parameters: Parameters, name: str) -> bool:
    """A parameter that is true or false."""
    return str(parameters[name] or "").strip().lower() == "true"


def scaffold_of(submissions: pl.DataFrame, last_reporting_year: int, today: dt.date) -> pl.DataFrame:
    """community_id, reporting_year, assessment_date: every year from a community's first submission on.

    The assessment date is the earlier of 31 December of the reporting year and `today` (RULES 6).
    """
    first = submissions.group_by("community_id").agg(pl.col("reporting_year").cast(pl.Int32).min().alias("first"))
    years = first.with_columns(pl.int_ranges("first", last_reporting_year + 1, dtype=pl.Int32).alias("reporting_year"))
    day = pl.min_horizontal(pl.date(pl.col("reporting_year"), 12, 31), pl.lit(today))
    rows = years.explode("reporting_year").filter(pl.col("reporting_year").is_not_null())
    return rows.select(*AT, day.alias("assessment_date")).sort(AT)


def known_rows(
    rows: pl.DataFrame, scaffold: pl.DataFrame, memory: RegisterMemory, dates: tuple[str, ...], today: dt.date
) -> pl.DataFrame:
    """The rows of one register as known at every reporting year of the scaffold.

    `reporting_year` of the result is the year at which the row is known, `submitted_in` the one it came with, and
    `assessment_date` stands beside. State: the newest table replaces. Log: a row counts from its date and submission
    on, until a later submission speaks of the same key.
    """
    rows = rows.rename({"reporting_year": "submitted_in"}).with_columns(pl.col("submitted_in").cast(pl.Int32))
    spans = _state_spans(rows) if memory.memory == "state" else _log_spans(rows, memory, dates, today)
    last = scaffold["reporting_year"].max()
    end = pl.min_horizontal("known_to", pl.lit(last, pl.Int32)) + 1
    spans = spans.filter(pl.col("known_from") < end)
    expanded = spans.with_columns(pl.int_ranges("known_from", end, dtype=pl.Int32).alias("reporting_year"))
    expanded = expanded.drop("known_from", "known_to").explode("reporting_year")
    return expanded.join(scaffold, on=AT, how="inner", maintain_order="left")


def _state_spans(rows: pl.DataFrame) -> pl.DataFrame:
    years = rows.select("community_id", "submitted_in").unique().sort("community_id", "submitted_in")
    until = (pl.col("submitted_in").shift(-1).over("community_id") - 1).fill_null(FOREVER)
    years = years.with_columns(until.cast(pl.Int32).alias("known_to"), pl.col("submitted_in").alias("known_from"))
    return rows.join(years, on=["community_id", "submitted_in"], how="left", maintain_order="left")


def _log_spans(rows: pl.DataFrame, memory: RegisterMemory, dates: tuple[str, ...], today: dt.date) -> pl.DataFrame:
    seen = pl.max_horizontal([pl.col(name) for name in dates]) if dates else pl.lit(None, pl.Date)
    rows = rows.filter((seen <= today).fill_null(True))
    begins = pl.max_horizontal("submitted_in", seen.dt.year().cast(pl.Int32))
    place = [name for name in ("source_file", "source_sheet", "source_row") if name in rows.columns]
    order = ["community_id", *memory.key, *memory.spoken, "submitted_in", *place]
    rows = rows.with_columns(begins.alias("known_from")).sort(order)
    later = pl.col("known_from").shift(-1).cum_min(reverse=True).over("community_id", *memory.key)
    return rows.with_columns((later - 1).fill_null(FOREVER).cast(pl.Int32).alias("known_to"))


@dataclass(frozen=True)
class FactContext:
    """What the rules read. `registers` as submitted, by name; `known`: the same as known at every reporting year, from
    `known_rows`. Absent registers are in neither.

    `present`: register -> community_id, reporting_year at which the register has been submitted at least once.
    `values` (community_id, indicator_id, dimension, population_group_id, school_year, known_from, known_to) and
    `subannual` (community_id, indicator_id, reporting_year) hold observations; `indicators` and `outcomes` the
    dictionary.
    """

    scaffold: pl.DataFrame
    registers: Mapping[str, pl.DataFrame]
    known: Mapping[str, pl.DataFrame]
    present: Mapping[str, pl.DataFrame]
    values: pl.DataFrame
    subannual: pl.DataFrame
    indicators: pl.DataFrame
    outcomes: pl.DataFrame
    parameters: Parameters
    ruleset_id: str
    ruleset_version: str

    @property
    def epsilon(self) -> float:
        """What every threshold carries in favour of equality."""
        return needed(self.parameters, "numeric.epsilon")

    def known_or_empty(self, name: str, **columns: pl.DataType) -> pl.DataFrame:
        """A register as known, or an empty frame with the scaffold's and the given columns where it is absent."""
        if name in self.known:
            return self.known[name]
        place = {"community_id": pl.String(), "reporting_year": pl.Int32(), "assessment_date": pl.Date()}
        return pl.DataFrame(schema={**place, "submitted_in": pl.Int32(), **columns})

    @cached_property
    def selection(self) -> pl.DataFrame:
        """The indicator selection with its outcome: the register's, or where blank the dictionary's."""
        rows = self.known.get("indicator_selection")
        if rows is None:
            schema = {"community_id": pl.String, "reporting_year": pl.Int32, "indicator_id": pl.String}
            return pl.DataFrame(schema={**schema, "outcome_id": pl.String, "role": pl.String})
        home = self.indicators.select(indicator="indicator_id", home="outcome_id")
        rows = rows.join(home, on="indicator", how="left", maintain_order="left")
        return rows.with_columns(
            pl.col("indicator").alias("indicator_id"), pl.coalesce("outcome", "home").alias("outcome_id")
        )

    @cached_property
    def core(self) -> pl.DataFrame:
        """community_id, reporting_year, indicator_id, outcome_id of the selected core indicators, each once."""
        rows = self.selection.filter(pl.col("role") == "core")
        return rows.select(*AT, "indicator_id", "outcome_id").unique([*AT, "indicator_id"], keep="first").sort(AT)

    @cached_property
    def core_values(self) -> pl.DataFrame:
        """Values known of core indicators at each reporting year, school years after it left out; `held` if shown."""
        rows = self.values.join(self.core, on=["community_id", "indicator_id"], how="inner")
        known = pl.col("reporting_year").is_between("known_from", "known_to")
        return rows.filter(known & (pl.col("school_year") <= pl.col("reporting_year")))


def fact_context(
    tables: Tables,
    scaffold: pl.DataFrame,
    parameters: Parameters,
    ruleset_id: str,
    ruleset_version: str,
    today: dt.date,
) -> FactContext:
    """Prepare the registers, values and observations in `tables` (keys: the tables' names) for the rules.

    Read: registers, `int_values__known`, `observations` (for sub-annual rows), `indicators`, `outcomes`; a missing or
    empty table counts as absent. Unit of every date: day. Raises KeyError without `indicators` or `outcomes`.
    """
    given = {name: tables[name] for name in REGISTERS if name in tables and tables[name].height}
    known = {
        name: known_rows(rows, scaffold, REGISTERS[name], FACT_DATES.get(name, ()), today)
        for name, rows in given.items()
    }
    present = {name: _present(rows, scaffold) for name, rows in given.items()}
    return FactContext(
        scaffold=scaffold,
        registers=given,
        known=known,
        present=present,
        values=_values(tables, known),
        subannual=_subannual(tables),
        indicators=tables["indicators"],
        outcomes=tables["outcomes"],
        parameters=parameters,
        ruleset_id=ruleset_id,
        ruleset_version=ruleset_version,
    )


def _present(rows: pl.DataFrame, scaffold: pl.DataFrame) -> pl.DataFrame:
    first = rows.group_by("community_id").agg(pl.col("reporting_year").cast(pl.Int32).min().alias("first"))
    joined = scaffold.join(first, on="community_id", how="inner", maintain_order="left")
    return joined.filter(pl.col("reporting_year") >= pl.col("first")).select(AT)


def _values(tables: Tables, known: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    columns = ["community_id", "indicator_id", "population_group_id", "school_year", "known_from", "known_to"]
    rows = tables.get("int_values__known")
    if rows is None or "indicator_selection" not in known:
        empty = pl.DataFrame(schema=dict.fromkeys(columns[:3], pl.String) | dict.fromkeys(columns[3:], pl.Int32))
        return empty.with_columns(pl.lit(None, pl.Boolean).alias("held"), pl.lit(None, pl.String).alias("dimension"))
    # Only what is or was a core indicator is looked at: most series of a network are not.
    wanted = known["indicator_selection"].filter(pl.col("role") == "core")
    wanted = wanted.select("community_id", indicator_id="indicator").unique()
    shown = [pl.col(name).is_not_null() for name in ("value", "value_low", "value_high")]
    rows = rows.join(wanted, on=["community_id", "indicator_id"], how="semi")
    rows = rows.select(*columns, pl.any_horizontal(shown).alias("held")).unique()
    return rows.with_columns(pl.col("population_group_id").str.split(":").list.first().alias("dimension"))


def _subannual(tables: Tables) -> pl.DataFrame:
    schema = {"community_id": pl.String, "indicator_id": pl.String, "submitted_in": pl.Int32}
    rows = tables.get("observations")
    if rows is None:
        return pl.DataFrame(schema=schema)
    shown = [pl.col(name).is_not_null() for name in ("value", "value_low", "value_high")]
    rows = rows.filter((pl.col("row_status") == "accepted") & (pl.col("period") != "annual") & pl.any_horizontal(shown))
    year = pl.col("reporting_year").cast(pl.Int32).min().alias("submitted_in")
    return rows.group_by("community_id", "indicator_id").agg(year).sort("community_id", "indicator_id")


Rule = Callable[[FactContext, Mapping[str, str]], pl.DataFrame]
"""A rule returns, for some community-years, `n` and `evidence`, and `passed` where n alone does not say it."""


def computed_facts(context: FactContext, rubric: pl.DataFrame) -> pl.DataFrame:
    """FACT_COLUMNS: one row for every community, reporting year and criterion with a rule.

    rubric: rows of seeds/rubric/rubric.csv; `rule` names a function of RULES here, `register`, `argument` and
    `parameter` its inputs. A register that was never submitted gives `undetermined`; one that is short `not_met`.
    Raises KeyError for an unknown rule.
    """
    parts = [_judge(context, row) for row in rubric.filter(pl.col("rule").is_not_null()).iter_rows(named=True)]
    if not parts:
        return pl.DataFrame(schema=dict.fromkeys(FACT_COLUMNS, pl.String) | {"reporting_year": pl.Int32})
    return pl.concat(parts)


def _judge(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    registers = str(row["register"]).split()
    base, absent = context.scaffold.select(AT), pl.lit(False)
    for name in registers:
        if name in context.present:
            mark = context.present[name].with_columns(pl.lit(True).alias(f"has_{name}"))
            base = base.join(mark, on=AT, how="left", maintain_order="left")
            absent = absent | pl.col(f"has_{name}").is_null()
        else:
            absent = pl.lit(True)
    words = " and ".join(registers)
    if all(name in context.known for name in registers):
        found = RULES[row["rule"]](context, row)
    else:
        RULES[row["rule"]]
        found = pl.DataFrame(schema={"community_id": pl.String, "reporting_year": pl.Int32})
    missing = {"n": pl.Float64, "passed": pl.Boolean, "evidence": pl.String}
    found = found.with_columns(pl.lit(None, kind).alias(name) for name, kind in missing.items() if name not in found)
    least = number(context.parameters, row["parameter"]) if row["parameter"] else None
    enough = pl.col("n").fill_null(0.0) >= (least or 0.0) - context.epsilon if least else pl.lit(False)
    empty = pl.lit(row["when_empty"] == "met") if row["when_empty"] else enough
    passed = pl.coalesce("passed", pl.when(pl.col("n").is_null()).then(empty).otherwise(enough))
    status = pl.when(absent).then(pl.lit("undetermined")).when(passed).then(pl.lit("met")).otherwise(pl.lit("not_met"))
    none = pl.lit(f"none found in {words}" if not row["when_empty"] else f"nothing in {words} that this speaks of")
    text = pl.when(absent).then(pl.lit(f"{words}: not submitted yet")).otherwise(pl.coalesce("evidence", none))
    joined = base.join(found, on=AT, how="left", maintain_order="left")
    criterion = pl.lit(row["criterion_id"]).alias("criterion_id")
    return joined.select(*AT, criterion, status.alias("computed_status"), text.alias("evidence"))


def _filled(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.String).str.strip_chars().fill_null("") != ""


def _plain(column: str) -> pl.Expr:
    """Text as it is compared: what a person writes with other case or blanks is the same."""
    return pl.col(column).str.strip_chars().str.to_lowercase()


def _in_force(start: str, end: str) -> pl.Expr:
    day = pl.col("assessment_date")
    return (pl.col(start) <= day).fill_null(True) & (pl.col(end) >= day).fill_null(True)


def _whole(expression: pl.Expr) -> pl.Expr:
    return expression.cast(pl.Int64).cast(pl.String)


def _count(rows: pl.DataFrame, n: pl.Expr, words: str) -> pl.DataFrame:
    counted = rows.group_by(AT, maintain_order=True).agg(n.cast(pl.Float64).alias("n"))
    return counted.with_columns(pl.format(f"{{}} {words}", _whole(pl.col("n"))).alias("evidence"))


def _argument(row: Mapping[str, str]) -> list[str]:
    return str(row["argument"] or "").split()


def rows_with(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Rows whose named columns are filled: `a+b` needs both, `a|b` either."""
    argument = str(row["argument"])
    columns = argument.replace("|", "+").split("+")
    combine = pl.any_horizontal if "|" in argument else pl.all_horizontal
    rows = context.known[row["register"]].filter(combine([_filled(name) for name in columns]))
    joiner = " or " if "|" in argument else " and "
    return _count(rows, pl.len(), f"rows of {row['register']} with {joiner.join(columns)}")


def distinct_values(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Distinct values of one column of text, however they are written."""
    rows = context.known[row["register"]].filter(_filled(row["argument"]))
    return _count(rows, _plain(row["argument"]).n_unique(), f"different values of {row['argument']}")


def single_value(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Exactly as many different anchors as the parameter says, in place on the assessment date."""
    rows = context.known[row["register"]].filter(_filled(row["argument"]))
    rows = rows.filter((pl.col("anchor_since") <= pl.col("assessment_date")).fill_null(True))
    found = _count(rows, _plain(row["argument"]).n_unique(), "current anchor organizations named")
    return found.with_columns((pl.col("n") == needed(context.parameters, row["parameter"])).alias("passed"))


def _roster(context: FactContext, body: str) -> pl.DataFrame:
    """Active organizations of a body, each with one category: of its newest submission, then the first letter."""
    rows = context.known["partner_roster"].filter((pl.col("body") == body) & _in_force("active_from", "active_to"))
    named = _filled("organization") & _filled("sector_category")
    rows = rows.filter(named).with_columns(_plain("organization").alias("organization"))
    rows = rows.sort(
        *AT, "organization", "submitted_in", "sector_category", descending=[False, False, False, True, False]
    )
    return rows.unique([*AT, "organization"], keep="first", maintain_order=True)


def sector_category(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """A category of the roster is held by at least one active organization."""
    body, category = _argument(row)
    rows = _roster(context, body).filter(pl.col("sector_category") == category)
    found = _count(rows, pl.len(), f"active organizations of category {category} in the {body} roster")
    return found.with_columns((pl.col("n") > 0).alias("passed"))


def roster_breadth(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Several sectors and several organizations; n is the smaller of the two counts."""
    (body,) = _argument(row)
    counts = _roster(context, body).group_by(AT, maintain_order=True)
    both = counts.agg(pl.len().alias("members"), pl.col("sector_category").n_unique().alias("sectors"))
    text = pl.format("{} sectors and {} active organizations", _whole(pl.col("sectors")), _whole(pl.col("members")))
    return both.select(*AT, pl.min_horizontal("members", "sectors").cast(pl.Float64).alias("n"), text.alias("evidence"))


def core_outcome(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """The selection holds a core indicator of the outcome."""
    found = _count(context.core.filter(pl.col("outcome_id") == row["argument"]), pl.len(), "core indicators selected")
    return found.with_columns((pl.col("n") > 0).alias("passed"))


def _share_of_core(context: FactContext, row: Mapping[str, str], held: pl.DataFrame, words: str) -> pl.DataFrame:
    """Share of the selected core indicators that stand in `held` (AT, indicator_id), against the parameter."""
    marks = held.select(*AT, "indicator_id").unique().with_columns(pl.lit(1).alias("held"))
    rows = context.core.join(marks, on=[*AT, "indicator_id"], how="left", maintain_order="left")
    counts = rows.group_by(AT, maintain_order=True).agg(pl.len().alias("all"), pl.col("held").sum().alias("held"))
    share = pl.col("held") / pl.col("all")
    text = pl.format(f"{{}} of {{}} core indicators {words}", _whole(pl.col("held")), _whole(pl.col("all")))
    return counts.select(*AT, share.alias("n"), text.alias("evidence"))


def data_share(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Core indicators with at least one value."""
    return _share_of_core(context, row, context.core_values.filter("held"), "have data")


def breakdown_share(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Core indicators with enough groups of one demographic dimension in that dimension's latest year."""
    allowed = codes(context.parameters, "gateway.breakdown_dimensions")
    rows = context.core_values.filter(pl.col("dimension").is_in(allowed))
    latest = pl.col("school_year").max().over([*AT, "indicator_id", "dimension"])
    rows = rows.filter((pl.col("school_year") == latest) & pl.col("held"))
    groups = rows.group_by([*AT, "indicator_id", "dimension"]).agg(pl.col("population_group_id").n_unique().alias("n"))
    enough = groups.filter(pl.col("n") >= needed(context.parameters, "gateway.breakdown_groups_min"))
    return _share_of_core(context, row, enough, "are broken down by a demographic dimension")


def card_share(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Core indicators shown on a report card by any dimension, place included."""
    items = context.known["report_card_items"].filter(_broken_down())
    return _share_of_core(context, row, items.rename({"indicator": "indicator_id"}), "are broken down on a report card")


def _broken_down() -> pl.Expr:
    return _filled("dimension") & (pl.col("dimension") != "all")


def dimension_coverage(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Every named dimension has at least one value of a core indicator."""
    wanted = _argument(row)
    rows = context.core_values.filter(pl.col("held") & pl.col("dimension").is_in(wanted))
    seen = rows.group_by(AT).agg(pl.col("dimension").unique().sort().alias("seen"))
    text = pl.format("core indicators have values by {}", pl.col("seen").list.join(", "))
    passed = pl.col("seen").list.len() == len(wanted)
    return seen.select(*AT, passed.alias("passed"), text.alias("evidence"))


def full_time(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """The largest share of a full-time post that one person holds in a role."""
    rows = context.known["capacity"].filter(_role() == row["argument"]).with_row_index("line")
    who = pl.coalesce(_plain("person"), pl.format("line {}", "line")).alias("who")
    people = rows.group_by([*AT, who], maintain_order=True).agg(pl.col("fte").fill_null(0.0).sum())
    most = people.group_by(AT, maintain_order=True).agg(pl.col("fte").max().alias("n"))
    return most.with_columns(pl.format(f"one person holds {{}} FTE of {row['argument']}", "n").alias("evidence"))


def _role() -> pl.Expr:
    return _plain("role").str.replace_all(r"[\s-]+", "_")


def role_present(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Entries of the capacity register for a role, whatever the arrangement."""
    rows = context.known["capacity"].filter(_role() == row["argument"])
    return _count(rows, pl.len(), f"entries for {row['argument']}")


def funding_until(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Days from the assessment date to the latest end of an agreement that has begun."""
    rows = context.known["funding"].filter((pl.col("start_date") <= pl.col("assessment_date")).fill_null(True))
    days = (pl.col("end_date") - pl.col("assessment_date")).dt.total_days()
    most = rows.group_by(AT, maintain_order=True).agg(days.max().alias("n"), pl.col("end_date").max())
    most = most.filter(pl.col("n").is_not_null())
    text = pl.format(f"funding runs until {{}}, {{}} {DAYS_AFTER}", "end_date", "n")
    return most.select(*AT, pl.col("n").cast(pl.Float64), text.alias("evidence"))


def operations_support(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Partners that currently give money or help in kind for operations."""
    purposes = codes(context.parameters, "gateway.operations_purposes")
    rows = context.known["funding"].filter(_plain("purpose").is_in(purposes) & _in_force("start_date", "end_date"))
    return _count(rows.filter(_filled("partner")), _plain("partner").n_unique(), "partners support operations now")


def baseline_release(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Baseline report cards released with a call to action."""
    rows = _events(context, row["argument"]).filter("baseline", "call_to_action")
    return _count(rows, pl.col("date").n_unique(), "baseline report cards with a call to action")


def _events(context: FactContext, kind: str) -> pl.DataFrame:
    rows = context.known["communications"]
    return rows.filter((pl.col("kind") == kind) & (pl.col("date") <= pl.col("assessment_date")))


def event_count(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Events of a kind for an audience."""
    kind, audience = _argument(row)
    rows = _events(context, kind).filter(pl.col("audience") == audience)
    return _count(rows, pl.col("date").n_unique(), f"{kind} events for {audience}")


def annual(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """The last release follows the one before within the allowed months, and is itself no older than that."""
    months = f"{int(needed(context.parameters, row['parameter']))}mo"
    least = needed(context.parameters, "cadence.annual_releases_min")
    dates = _events(context, row["argument"]).select(*AT, "assessment_date", "date").unique().sort(*AT, "date")
    pairs = dates.group_by([*AT, "assessment_date"], maintain_order=True).agg(
        pl.col("date").last().alias("last"),
        pl.col("date").get(-2, null_on_oob=True).alias("before"),
        pl.len().cast(pl.Float64).alias("n"),
    )
    in_time = pl.col("last") <= pl.col("before").dt.offset_by(months)
    fresh = pl.col("assessment_date") <= pl.col("last").dt.offset_by(months)
    before = pl.coalesce(pl.col("before").cast(pl.String), pl.lit("none"))
    text = pl.format("last release {}, the one before {}", "last", before)
    passed = (pl.col("n") >= least) & in_time.fill_null(False) & fresh
    return pairs.select(*AT, "n", passed.alias("passed"), text.alias("evidence"))


def quarterly(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Every audience has an event in each of the last completed calendar quarters."""
    quarters = int(needed(context.parameters, row["parameter"]))
    audiences = codes(context.parameters, "cadence.audiences")
    # A quarter is completed when its last day is reached: the day after then opens the next one.
    opened = pl.col("assessment_date").dt.offset_by("1d").dt.truncate("1q")
    since = opened.dt.offset_by(f"-{3 * quarters}mo")
    rows = _events(context, row["argument"]).filter(pl.col("audience").is_in(audiences))
    rows = rows.filter(pl.col("date").is_between(since, opened, closed="left"))
    cells = rows.select(*AT, "audience", pl.col("date").dt.truncate("1q").alias("quarter")).unique()
    counts = cells.group_by(AT).agg(
        *[(pl.col("audience") == name).sum().alias(name) for name in audiences], pl.len().alias("cells")
    )
    words = ", ".join(f"{name} in {{}} of {quarters}" for name in audiences)
    text = pl.format(
        f"last completed quarters with {row['argument']}: {words}", *[_whole(pl.col(a)) for a in audiences]
    )
    passed = pl.col("cells") == quarters * len(audiences)
    return counts.select(*AT, passed.alias("passed"), text.alias("evidence"))


def current_examples(context: FactContext) -> pl.DataFrame:
    """Every example once, as it stands: the newest word about it at each reporting year."""
    rows = context.known["examples"]
    spoken = pl.coalesce("as_of", pl.date(pl.col("submitted_in"), 12, 31)).alias("spoken_on")
    rows = rows.with_columns(spoken).sort(*AT, "example_id", "spoken_on", "submitted_in")
    return rows.unique([*AT, "example_id"], keep="last", maintain_order=True)


def example_count(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Different examples of a kind."""
    rows = current_examples(context).filter(pl.col("kind") == row["argument"])
    return _count(rows, pl.len(), f"examples of kind {row['argument']}")


def enacted_policy(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Policy examples at a public level whose status shows that they came about."""
    rows = current_examples(context).filter(
        (pl.col("kind") == row["argument"])
        & _plain("level").is_in(codes(context.parameters, "gateway.public_levels"))
        & pl.col("status").is_in(codes(context.parameters, "gateway.enacted_statuses"))
    )
    return _count(rows, pl.len(), "public policy changes made")


def active_agreements(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Data sharing agreements in force."""
    rows = context.known["data_sharing_agreements"].filter(_in_force("start_date", "end_date"))
    return _count(rows, pl.len(), "data sharing agreements in force")


def individual_adjacent_agreements(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Agreements in force on individual-level data with a party of another sector than the named one."""
    level, home = _argument(row)
    rows = context.known["data_sharing_agreements"].filter(
        _in_force("start_date", "end_date")
        & (pl.col("data_level") == level)
        & _filled("sector")
        & (_plain("sector") != home)
    )
    return _count(rows, pl.len(), f"{level}-level agreements in force with a party outside {home}")


def proper_subset(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Some indicators of a role are put first, and not all of them."""
    least = needed(context.parameters, row["parameter"])
    rows = context.selection.filter(pl.col("role") == row["argument"])
    first = pl.col("prioritized").fill_null(False).sum().alias("first")
    counts = rows.group_by(AT, maintain_order=True).agg(pl.len().alias("all"), first)
    text = pl.format(f"{{}} of {{}} {row['argument']} indicators put first", "first", "all")
    passed = (pl.col("first") >= least) & (pl.col("first") < pl.col("all"))
    return counts.select(*AT, passed.alias("passed"), text.alias("evidence"))


def target_horizons(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Targets with a deadline in every horizon; n is the smallest count."""
    horizons = _argument(row)
    rows = context.known["targets"].filter(pl.col("deadline").is_not_null())
    counts = rows.group_by(AT, maintain_order=True).agg(
        (pl.col("horizon") == name).sum().cast(pl.Float64).alias(name) for name in horizons
    )
    words = " and ".join(f"{{}} {name}-term" for name in horizons) + " targets with a deadline"
    text = pl.format(words, *[_whole(pl.col(name)) for name in horizons])
    return counts.select(*AT, pl.min_horizontal(horizons).alias("n"), text.alias("evidence"))


def subannual(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Indicators of a role that are observed by quarter or month."""
    rows = context.selection.filter(pl.col("role") == row["argument"])
    rows = rows.select(*AT, "indicator_id").unique().join(context.subannual, on=["community_id", "indicator_id"])
    rows = rows.filter(pl.col("submitted_in") <= pl.col("reporting_year"))
    return _count(rows, pl.len(), f"{row['argument']} indicators observed by quarter or month")


def _revised(context: FactContext) -> pl.DataFrame:
    return context.selection.filter((pl.col("revised_on") <= pl.col("assessment_date")).fill_null(False))


def revisions(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Indicators with a dated revision."""
    return _count(_revised(context), pl.len(), "indicators revised")


def revisions_explained(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Every dated revision states its reason."""
    revised = _revised(context).group_by(AT, maintain_order=True)
    counts = revised.agg(pl.len().alias("all"), _filled("rationale").sum().alias("told"))
    text = pl.format("{} of {} revisions give a reason", "told", "all")
    return counts.select(*AT, (pl.col("told") == pl.col("all")).alias("passed"), text.alias("evidence"))


def _shared(context: FactContext) -> pl.DataFrame:
    return context.known["report_card_items"].filter(pl.col("shared_measure").fill_null(False))


def shared_measures(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Shared measures that stand on a report card."""
    return _count(_shared(context), pl.col("indicator").n_unique(), "shared measures on a report card")


def shared_measures_broken_down(context: FactContext, row: Mapping[str, str]) -> pl.DataFrame:
    """Every shared measure is shown by some dimension."""
    measures = _shared(context).select(*AT, "indicator").unique()
    shown = context.known["report_card_items"].filter(_broken_down()).select(*AT, "indicator").unique()
    rows = measures.join(shown.with_columns(pl.lit(1).alias("shown")), on=[*AT, "indicator"], how="left")
    counts = rows.group_by(AT).agg(pl.len().alias("all"), pl.col("shown").sum())
    text = pl.format("{} of {} shared measures are broken down", "shown", "all")
    return counts.select(*AT, (pl.col("shown") == pl.col("all")).alias("passed"), text.alias("evidence"))


RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        rows_with,
        distinct_values,
        single_value,
        sector_category,
        roster_breadth,
        core_outcome,
        data_share,
        breakdown_share,
        card_share,
        dimension_coverage,
        full_time,
        role_present,
        funding_until,
        operations_support,
        baseline_release,
        event_count,
        annual,
        quarterly,
        example_count,
        enacted_policy,
        active_agreements,
        individual_adjacent_agreements,
        proper_subset,
        target_horizons,
        subannual,
        revisions,
        revisions_explained,
        shared_measures,
        shared_measures_broken_down,
    )
}
