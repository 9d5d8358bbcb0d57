"""One intake, from the bucket's listing to written partitions and ledger.

Belongs here: the step that the asset, the command line and the tests call; it alone writes lake and ledger.
Does not: rules, landing for dbt (landing.py), receipts (receipts.py).
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import polars as pl

from dagster_project.lib.base.store import Store
from dagster_project.lib.intake.batch import Guard, Intake, Keep, Taken
from dagster_project.lib.intake.bucket.drop import Folder, Left, Listing, list_drop, still_written, stray_findings
from dagster_project.lib.intake.bucket.lake import move_partitions, read_partitions, remove_partition, write_partition
from dagster_project.lib.intake.bucket.ledger import EVENTS, Ledger, current_objects
from dagster_project.lib.intake.bucket.left import LEFT, left_table
from dagster_project.lib.intake.bucket.plan import Plan, Selection, left_at_listing, make_plan, refuse_bucket_fault
from dagster_project.lib.intake.bucket.same import same_content
from dagster_project.lib.intake.bucket.whole import damaged_places
from dagster_project.lib.intake.findings import BLOCKING, FINDINGS, to_findings
from dagster_project.lib.intake.reading.files import WorkbookReader
from dagster_project.lib.intake.take_in import batches, by_version, take_in

PATIENCE = 1.5
"""How long an intake waits for files to settle, in times of the setting; a file that still grows then is left."""
WRITERS = 8
"""Objects of the lake written side by side: on S3 each waits for an answer."""


@dataclass(frozen=True)
class TakenPartition:
    """What intake did with one folder."""

    community_id: str
    reporting_year: int
    submission_id: str | None
    status: str
    n_files: int
    rows_read: int
    rows_accepted: int
    rows_rejected: int
    findings: int
    contract_version: int | None


@dataclass(frozen=True)
class IntakeResult:
    """What one intake did: partitions taken or withdrawn, the network's own findings, and the version of the rules."""

    taken: tuple[TakenPartition, ...]
    strays: pl.DataFrame
    version: str
    listing: Listing
    left: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=LEFT))
    """Folders within the selection that were left as they stood, and why (left.LEFT)."""

    @property
    def communities(self) -> frozenset[str]:
        """Communities with a partition taken."""
        return frozenset(partition.community_id for partition in self.taken)


@dataclass(frozen=True)
class Places:
    """The stores that an intake reads and writes."""

    drop: Store
    lake: Store


def run_intake(
    places: Places,
    intake: Intake,
    today: dt.date,
    selection: Selection,
    run_id: str,
    settle_seconds: float = 0.0,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[TakenPartition | IntakeResult]:
    """Take every folder that changed (or was asked for), one after the other; the last item is the IntakeResult.

    Partitions are yielded as soon as they are written, so that a caller can report them while the rest goes on.
    A run that dies half way leaves whole partitions and a ledger that says which: the next run goes on from there.
    BucketFaultError, before anything is changed, where so much is missing that the bucket itself seems at fault.
    """
    names = intake.reference.names
    move_partitions(places.lake, names)
    ledger = Ledger(places.lake, names)
    events = ledger.events()
    version = intake.version
    damaged = damaged_places(places.lake, events)
    listing, plan, left = _settled_plan(places.drop, intake, today, settle_seconds, events, version, selection, damaged)
    refuse_bucket_fault(listing, plan, events, selection)
    guard = Guard(places.drop.tag if places.drop.folder is not None else None, left)
    # A bucket that was put back from a backup has other tags for the same bytes: nothing of it is news.
    same, seen = same_content(places.drop, plan.take, events, version, selection.again, damaged)
    ledger.append(_stamped(seen, run_id, today))
    plan = replace(plan, take=tuple(folder for folder in plan.take if folder.partition not in same))
    done: list[TakenPartition] = []
    total = len(plan.take) + len(plan.withdrawn)
    for partition in _withdraw(places.lake, ledger, events, plan.withdrawn, run_id, today):
        done.append(partition)
        yield partition
    with WorkbookReader(intake.limits) as workbooks, ThreadPoolExecutor(WRITERS) as writers:
        for batch in _batches(plan.take):
            kept: list[Future[bool]] = []
            taken = take_in(intake, batch, places.drop, _keeper(places.lake, writers, kept), workbooks, guard)
            for written in kept:
                written.result()
            _write_all(places.lake, taken, writers)
            summaries = [_summary_of(item) for item in taken]
            ledger.append(_events(taken, summaries, events, version, run_id, today))
            for summary in summaries:
                done.append(summary)
                yield summary
            if progress:
                progress(len(done), total)
    strays = to_findings(stray_findings(listing.strays))
    yield IntakeResult(tuple(done), strays, version, listing, left_table(guard.left, events, run_id))


def _settled_plan(
    drop: Store,
    intake: Intake,
    today: dt.date,
    settle_seconds: float,
    events: pl.DataFrame,
    version: str,
    selection: Selection,
    damaged: frozenset[tuple[str, int]],
) -> tuple[Listing, Plan, list[Left]]:
    """The listing, what is to be taken of it, and what is left: files still written are waited for, not for ever."""
    reference = intake.reference
    communities, years = reference.communities["community_id"].to_list(), reference.reporting_years(today)
    last = time.monotonic() + PATIENCE * settle_seconds
    while True:
        listing = list_drop(drop, communities, years, reference.names)
        plan = make_plan(listing, events, version, selection, damaged)
        young, seconds = still_written(drop, plan.take, settle_seconds)
        wait = min(seconds, last - time.monotonic())
        if not young or wait <= 0:
            break
        time.sleep(wait)
    unsettled = {left.partition for left in young}
    plan = replace(plan, take=tuple(folder for folder in plan.take if folder.partition not in unsettled))
    told = [left for left in left_at_listing(listing, events) if selection.holds(*left.partition)]
    return listing, plan, [*told, *young]


def _batches(folders: Sequence[Folder]) -> Iterator[list[Folder]]:
    for _, same_version in sorted(by_version(folders).items()):
        yield from batches(same_version)


def _keeper(lake: Store, writers: ThreadPoolExecutor, kept: list[Future[bool]]) -> Keep:
    """Stores raw bytes; small files while others are read, each adding to `kept` what is to be waited for."""

    def keep(key: str, data: bytes | Callable[[], Iterator[bytes]]) -> None:
        if isinstance(data, bytes):
            kept.append(writers.submit(lake.create, key, data))
        elif lake.size(key) is None:  # the key is the content's: what lies there already is the same
            lake.put_pieces(key, data)

    return keep


def _write_all(lake: Store, taken: Sequence[Taken], writers: ThreadPoolExecutor) -> None:
    def write(item: Taken) -> None:
        write_partition(lake, *item.folder.partition, item.tables)

    for _ in writers.map(write, taken):
        pass


def _withdraw(
    lake: Store,
    ledger: Ledger,
    events: pl.DataFrame,
    withdrawn: Sequence[tuple[str, int]],
    run_id: str,
    today: dt.date,
) -> Iterator[TakenPartition]:
    objects = current_objects(events)
    for community_id, year in withdrawn:
        remove_partition(lake, community_id, year)
        gone = objects.filter((pl.col("community_id") == community_id) & (pl.col("reporting_year") == year))
        state = gone.head(1).with_columns(
            event=pl.lit("submission"),
            name=pl.lit(None, pl.String),
            submission_id=pl.lit(None, pl.String),
            status=pl.lit("withdrawn"),
        )
        ledger.append(_stamped(pl.concat([gone.with_columns(event=pl.lit("withdrawn")), state]), run_id, today))
        yield _withdrawn(community_id, year)


def standing_partition(lake: Store, community_id: str, year: int, submission_id: str | None) -> TakenPartition:
    """What was done with a folder, read again from the lake; withdrawn without a submission id.

    Without rows of files it is withdrawn as well: a run died after it had removed them and before the ledger said so.
    """
    files, findings = (read_partitions(lake, table, [(community_id, year)]) for table in ("files", "findings"))
    if submission_id is None or files.is_empty():
        return _withdrawn(community_id, year)
    return _summary(community_id, year, submission_id, files, findings)


def _withdrawn(community_id: str, year: int) -> TakenPartition:
    return TakenPartition(community_id, year, None, "withdrawn", 0, 0, 0, 0, 0, None)


def _summary_of(item: Taken) -> TakenPartition:
    findings = item.tables.get("findings", pl.DataFrame(schema=FINDINGS))
    return _summary(*item.folder.partition, item.submission_id, item.tables["files"], findings)


def _summary(
    community_id: str, year: int, submission_id: str, files: pl.DataFrame, findings: pl.DataFrame
) -> TakenPartition:
    accepted = int(files["rows_accepted"].sum())
    open_ones = findings.filter(pl.col("severity").is_in([*BLOCKING, "explainable"])).height
    return TakenPartition(
        community_id,
        year,
        submission_id,
        "rejected" if not accepted else "accepted_with_queries" if open_ones else "accepted",
        files.height,
        int(files["rows_read"].sum()),
        accepted,
        int(files["rows_rejected"].sum()),
        findings.height,
        int(files["contract_version"][0]),
    )


def _events(
    taken: Sequence[Taken],
    summaries: Sequence[TakenPartition],
    events: pl.DataFrame,
    version: str,
    run_id: str,
    today: dt.date,
) -> pl.DataFrame:
    """Ledger events of one batch: each file as it stands, each file that is gone, each folder's state."""
    rows: list[tuple[object, ...]] = []
    seen: dict[tuple[str, int], dict[str, str]] = {}
    for community_id, year, name, sha in (
        current_objects(events).select("community_id", "reporting_year", "name", "sha256").iter_rows()
    ):
        seen.setdefault((community_id, year), {})[name] = sha
    for item, summary in zip(taken, summaries, strict=True):
        place = item.folder.partition
        etags = {file.name: file.etag for file in item.folder.files}
        for name, sha, size, kind in _dropped(item).iter_rows():
            rows.append(("object", *place, name, sha, size, etags[name], kind, None, version, None))
        for name in sorted(set(seen.get(place, {})) - set(etags)):
            rows.append(("withdrawn", *place, name, seen[place][name], None, None, None, None, version, None))
        tag = item.folder.links_tag
        rows.append(("submission", *place, None, None, None, tag, None, item.submission_id, version, summary.status))
    names = [name for name in EVENTS if name not in ("sequence", "run_id", "seen_at", "seen_on")]
    return _stamped(pl.DataFrame(rows, schema={name: EVENTS[name] for name in names}, orient="row"), run_id, today)


def _dropped(item: Taken) -> pl.DataFrame:
    """The files that lie in a folder: name, sha256, size, kind. Of files inside an archive the archive is left.

    It is of the kind table if one of them is.
    """
    files = item.tables["files"].select("name", "sha256", "size", "kind")
    inside = pl.col("name").str.contains("/", literal=True)
    if not files.select(inside.any()).item():
        return files
    sizes = {file.name: file.size for file in item.folder.files}
    archive = pl.col("name").str.split("/").list.first()
    archives = (
        files.filter(inside)
        .with_columns(archive, archive.replace_strict(sizes, return_dtype=pl.Int64).alias("size"))
        .sort(pl.col("kind") != "table", maintain_order=True)
        .unique("name", keep="first", maintain_order=True)
        .cast(files.schema)
    )
    return pl.concat([files.filter(~inside), archives])


def _stamped(events: pl.DataFrame, run_id: str, today: dt.date) -> pl.DataFrame:
    # Arrival times live in the ledger only; no figure reads them.
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    stamped = events.with_columns(
        pl.lit(0, pl.Int64).alias("sequence"),
        pl.lit(run_id).alias("run_id"),
        pl.lit(now).alias("seen_at"),
        pl.lit(today.isoformat()).alias("seen_on"),
    )
    return stamped.select(list(EVENTS)).cast(EVENTS)
