"""Messages to communities: who is told what, once, one a day, in which language, and that no address goes astray.

Belongs here: contacts, occasions, words, a real server on a socket, the memory.
Does not: the command (unit/cli/test_cli_mail.py), deadlines (test_freshness.py), catalogues of words.
"""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import json
import shutil
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import polars as pl
import pytest

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.store import Store
from dagster_project.lib.intake.bucket.drop import Listing
from dagster_project.lib.intake.bucket.ledger import EVENTS
from dagster_project.lib.member.page.language import language
from dagster_project.lib.monitoring.mail.contacts import ContactError, read_contacts
from dagster_project.lib.monitoring.mail.day import news, occasions, send_due, without_contact
from dagster_project.lib.monitoring.mail.messages import as_mail, message
from dagster_project.lib.monitoring.mail.occasions import Occasion, of_deadlines, of_receipts, told_years
from dagster_project.lib.monitoring.mail.sending import MailError, Memory, by_server, server
from tests.smtp_server import serving_mail
from tests.support import PROJECT

TODAY = dt.date(2018, 6, 30)
FIRST = "alderwick_bend"
HEADER = "community_id,role,address,language,valid_from,valid_to\n"
ADDRESS, OTHER = "zyx.wvut@example.org", "qrs.opq@example.net"


def reference_of(folder: Path, *renames: str) -> Reference:
    """Seeds of one community, renamed by lines of former and later ids."""
    (folder / "network").mkdir(parents=True, exist_ok=True)
    community = f"community_id,name,state,joined_year\n{FIRST},Alderwick Bend,OH,2015\n"
    (folder / "network" / "communities.csv").write_text(community, encoding="utf-8")
    (folder / "network" / "network.csv").write_text("name\nThe network\n", encoding="utf-8")
    (folder / "network" / "community_successions.csv").write_text(
        "community_id,successor_id,note\n" + "".join(f"{line},\n" for line in renames), encoding="utf-8"
    )
    return Reference(folder)


def contacts_in(folder: Path, *lines: str) -> Path:
    (folder / "network").mkdir(parents=True, exist_ok=True)
    (folder / "network" / "contacts.csv").write_text(HEADER + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    return folder


def test_who_is_valid_today_is_read_and_lines_of_others_are_passed_over(tmp_path: Path) -> None:
    seeds = contacts_in(
        tmp_path, f"{FIRST},lead,{ADDRESS},es,2018-06-30,2018-06-30", f"{FIRST},was,old@example.org,,,2018-06-29",
        f"{FIRST},comes,new@example.org,,2018-07-01,", "elsewhere,lead,not an address,,,",
    )  # fmt: skip
    found = read_contacts(reference_of(seeds), TODAY)
    assert found is not None
    assert [(contact.address, contact.language) for contact in found] == [(ADDRESS, "es")]
    assert read_contacts(reference_of(tmp_path / "none"), TODAY) is None


def test_a_community_that_was_renamed_is_written_to_by_the_id_before_and_hears_nothing_twice(tmp_path: Path) -> None:
    seeds = contacts_in(tmp_path / "seeds", f"old_bend,lead,{ADDRESS},,,")
    told = Occasion("accepted", FIRST, 2018, "accepted/2018/s1/0/0")
    memory, day = Memory(Store(str(tmp_path / "serve"))), dt.date(2018, 7, 1)
    memory.note(memory.name(ADDRESS), TODAY, ["old_bend/accepted/2018/s1/0/0"])
    reference = reference_of(seeds, f"old_bend,{FIRST}")
    whom = read_contacts(reference, day)
    assert whom is not None
    assert [(contact.community_id, contact.address) for contact in whom] == [(FIRST, ADDRESS)]
    assert without_contact(whom, [told]) == ()
    assert list(news(reference, memory, whom, [told])) == []


def test_an_address_in_other_letters_gets_one_message_with_all_of_it(tmp_path: Path) -> None:
    seeds = contacts_in(
        tmp_path / "seeds", f"{FIRST},lead,{ADDRESS.title()},,,", f"{FIRST},aide,a@example.org,,,",
        f"{FIRST},data,{ADDRESS},,,",
    )  # fmt: skip
    reference, kept = reference_of(seeds), list[str]()
    told = [Occasion("accepted", FIRST, 2018, "accepted/2018/s1/0/0")]
    whom = read_contacts(reference, TODAY)
    assert whom is not None
    memory = Memory(Store(str(tmp_path / "serve")))
    done = send_due(
        reference, memory, TODAY, whom, told, lambda mail, _: kept.append(str(mail["To"]).lower()), None, lambda _: None
    )
    assert (kept, done.sent, done.waiting) == (["a@example.org", ADDRESS], 2, 0)


def test_a_day_by_mistake_silences_nobody_until_it_comes(tmp_path: Path) -> None:
    seeds = contacts_in(tmp_path / "seeds", f"{FIRST},lead,{ADDRESS},,,")
    reference, memory = reference_of(seeds), Memory(Store(str(tmp_path / "serve")))
    whom = read_contacts(reference, TODAY)
    assert whom is not None
    memory.note(memory.name(ADDRESS), dt.date(2081, 6, 30), [])
    told = [Occasion("accepted", FIRST, 2018, "accepted/2018/s1/0/0")]
    done = send_due(reference, memory, TODAY, whom, told, lambda *_: None, None, lambda _: None)
    assert (done.sent, done.waiting) == (1, 0)


def test_a_folder_that_is_again_what_it_was_is_told_again(tmp_path: Path) -> None:
    memory = Memory(Store(str(tmp_path)))
    name = memory.name(ADDRESS)
    memory.note(name, TODAY, [f"{FIRST}/accepted/2018/s1/0/0", f"{FIRST}/late/2018/0", "other/accepted/2018/s1/0/0"])
    memory.note(name, TODAY, [f"{FIRST}/mend/2018/s2/1/0", f"{FIRST}/accepted/2017/s0/0/0"])
    assert memory.before(ADDRESS) == [
        f"{FIRST}/accepted/2017/s0/0/0", f"{FIRST}/late/2018/0", f"{FIRST}/mend/2018/s2/1/0",
        "other/accepted/2018/s1/0/0",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (f"{FIRST},lead,zyx wvut@example.org,,,", "line 2: the column address"),
        (f"{FIRST},lead,{ADDRESS}\x0bBcc: x@y.z,,,", "the column address"),
        (f"{FIRST},lead,zyx.wvut,,,", "the column address"),
        (f"{FIRST},lead,{ADDRESS},klingon,,", "the column language holds none of en, es"),
        (f"{FIRST},lead,{ADDRESS},,30.6.2018,", "the column valid_from holds no date"),
        (f"{FIRST},lead,{ADDRESS}", "has 3 cells where the header has 6"),
        (f'{FIRST},lead,"{ADDRESS}', "no CSV"),
    ],
)
def test_a_fault_names_line_and_column_and_never_the_address(tmp_path: Path, line: str, says: str) -> None:
    with pytest.raises(ContactError, match=says) as told:
        read_contacts(reference_of(contacts_in(tmp_path, line)), TODAY)
    assert "zyx" not in str(told.value)


def due(*rows: tuple[str, int, dt.date]) -> pl.DataFrame:
    left = [(community, year, day, (day - TODAY).days) for community, year, day in rows]
    notices = ["late" if each[3] < 0 else f"due within {7 if each[3] <= 7 else 14} days" for each in left]
    names = ["community_id", "reporting_year", "due_on", "days_left"]
    return pl.DataFrame(left, names, orient="row").with_columns(notice=pl.Series(notices))


def test_a_reminder_is_told_once_a_notice_and_a_late_folder_every_second_week() -> None:
    def keys(day: dt.date) -> list[str]:
        return [one.key for one in of_deadlines(due((FIRST, 2018, day)))]

    assert keys(TODAY + dt.timedelta(14)) == keys(TODAY + dt.timedelta(8)) != keys(TODAY + dt.timedelta(7))
    assert keys(TODAY - dt.timedelta(1)) == keys(TODAY - dt.timedelta(13)) != keys(TODAY - dt.timedelta(14))
    assert keys(TODAY - dt.timedelta(401)) == []


def receipt(
    status: str, *findings: tuple[str, str], submission: str | None = "s1", waiting: int = 0
) -> dict[str, object]:
    told = [{"severity": severity, "status": state} for severity, state in findings]
    return {"community_id": FIRST, "reporting_year": 2018, "submission_id": submission, "status": status,
            "findings": told, "files": [{"rows_waiting": waiting}]}  # fmt: skip


def test_a_receipt_is_to_be_mended_or_accepted_and_a_new_state_is_told_anew() -> None:
    (mend,) = of_receipts([receipt("accepted_with_queries", ("error", "open"), ("explainable", "open"))])
    assert (mend.kind, mend.facts) == ("mend", {"problems": 1, "questions": 1, "waiting": 0})
    (done,) = of_receipts([receipt("accepted", ("explainable", "explained"), ("info", "closed"))])
    assert done.kind == "accepted"
    (again,) = of_receipts([receipt("accepted", submission="s2")])
    assert again.key != done.key
    assert list(of_receipts([receipt("withdrawn"), receipt("expected", submission=None)])) == []


def test_the_words_of_a_receipt_agree_with_its_counts() -> None:
    def words(*given: object, waiting: int = 0) -> str:
        (one,) = of_receipts([receipt(*given, waiting=waiting)])  # type: ignore[arg-type]
        return message([one], {FIRST: "A"}, "N", language("en"), {})[1].split("\n")[2]

    assert "rejected. Nothing of the folder counts" in words("rejected", ("fatal", "open"))
    asked = words("accepted_with_queries", ("explainable", "open"), waiting=3)
    assert "accepted, and something is asked" in asked and "mended" not in asked
    assert "Rows that wait until a label is known: 3" in asked
    answered = words("accepted", ("explainable", "explained"), waiting=3)
    assert "Every row counts" not in answered and "Rows that wait until a label is known: 3" in answered
    assert "Every row counts" in words("accepted")


def test_of_a_year_after_its_community_left_nothing_is_asked(tmp_path: Path) -> None:
    reference = reference_of(tmp_path / "seeds")
    outbox = Store(str(tmp_path / "outbox"))
    for year in (2017, 2018):
        (folder := tmp_path / "outbox" / FIRST / str(year)).mkdir(parents=True)
        finding = {"severity": "explainable", "status": "open"}
        given = {"community_id": FIRST, "reporting_year": year, "submission_id": "s", "status": "accepted_with_queries"}
        (folder / "receipt.json").write_text(json.dumps(given | {"files": [], "findings": [finding]}), "utf-8")
    (network := tmp_path / "seeds" / "network").joinpath("waivers.csv").write_text(
        "community_id,reporting_year,reason\n"
    )
    (network / "calendar.csv").write_text("reporting_year,due_on\n2017,2017-11-30\n2018,2018-11-30\n", "utf-8")
    events = pl.DataFrame(schema=EVENTS)

    def asked() -> list[int]:
        told = occasions(Reference(reference.folder), events, Listing((), ()), outbox, TODAY)
        return [one.reporting_year for one in told if one.kind == "asked"]

    assert asked() == [2017, 2018]
    (network / "communities.csv").write_text(
        f"community_id,name,state,joined_year,left_year\n{FIRST},Alderwick Bend,OH,2015,2017\n", "utf-8"
    )
    assert asked() == [2017]


def test_years_that_were_due_long_ago_are_told_by_nobody() -> None:
    calendar = pl.DataFrame(
        {"reporting_year": ["2016", "2017", "2018"], "due_on": [f"{y}-11-30" for y in (2016, 2017, 2018)]}
    )
    assert told_years(range(2010, 2019), calendar, TODAY) == [2017, 2018]


def test_a_message_tells_the_most_urgent_first_in_the_language_of_its_reader() -> None:
    late = Occasion("late", FIRST, 2017, "a", {"day": dt.date(2017, 11, 30), "days": 212})
    soon = Occasion("due_soon", FIRST, 2018, "b", {"day": dt.date(2018, 7, 5), "days": 5})
    subject, text = message(
        [soon, late], {FIRST: "Alderwick\u202e Bend"}, "The network", language("es"), {FIRST: "https://x/enter?link=y"}
    )
    assert subject == "The network: sus datos anuales llevan retraso"
    assert text.index("2017: con retraso") < text.index("2018: vence pronto")
    assert "https://x/enter?link=y" in text and "\u202e" not in text
    mail = as_mail(subject, text, language("es"), None, ADDRESS)
    back = email.message_from_bytes(mail.as_bytes(), policy=email.policy.default)
    assert (back["To"], back["X-Unsent"], back["Content-Language"]) == (ADDRESS, "1", "es")
    assert isinstance(back, EmailMessage) and "Buenos días" in back.get_content()


@pytest.fixture
def smtp() -> Iterator[tuple[str, list[bytes]]]:
    """The address of a running server, and what it was sent."""
    with serving_mail() as running:
        yield running


def test_a_server_gets_the_message_and_a_refusal_names_no_address(smtp: tuple[str, list[bytes]]) -> None:
    url, kept = smtp
    with by_server(server(url)) as deliver:
        deliver(as_mail("Hello", "Good day", language("en"), "network@example.org", ADDRESS), "n")
        with pytest.raises(MailError) as told:
            deliver(as_mail("Hello", "x", language("en"), "network@example.org", "refused@example.org"), "n")
        deliver(as_mail("Again", "Good day", language("en"), "network@example.org", OTHER), "n")
    assert "refused@" not in str(told.value)
    sent = [email.message_from_bytes(data, policy=email.policy.default) for data in kept]
    assert [mail["To"] for mail in sent] == [ADDRESS, OTHER]
    assert all(mail["Date"] for mail in sent), "a message without its date is no message by RFC 5322"
    assert len({mail["Message-ID"] for mail in sent}) == 2


def test_a_password_is_never_sent_in_the_clear(smtp: tuple[str, list[bytes]]) -> None:
    url, kept = smtp
    with pytest.raises(MailError) as told, by_server(server(url.replace("smtp://", "smtp://user:secretword@"))):
        raise AssertionError("it spoke without TLS")
    assert "secretword" not in str(told.value)
    assert kept == []


@pytest.mark.parametrize("url", ["smtp://host", "http://host/?from=a@b.c", "smtp:///?from=a@b.c"])
def test_an_address_of_no_server_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="smtp://user:password@host"):
        server(url)


def test_the_memory_knows_an_address_again_and_does_not_hold_it(tmp_path: Path) -> None:
    memory = Memory(Store(str(tmp_path)))
    name = memory.name(ADDRESS)
    memory.note(name, TODAY, ["b"])
    memory.note(name, TODAY, ["a"])
    assert Memory(Store(str(tmp_path))).told(memory.name(ADDRESS.upper())) == ("2018-06-30", ["a", "b"])
    assert memory.name(OTHER) != name
    assert not any(b"zyx" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def holding(folder: Path, words: bytes) -> list[str]:
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and words in path.read_bytes()
    )


def test_addresses_are_no_reference_data(tmp_path: Path) -> None:
    """No hash of the seeds changes with them, and no copy of the seeds holds them."""
    from dagster_project.lib.app.kept import kept_inputs
    from dagster_project.lib.base.successions import NO_RENAMES, write_as_read
    from dagster_project.lib.intake.findings import FINDINGS
    from dagster_project.lib.intake.tables import FILES

    seeds = tmp_path / "seeds"
    shutil.copytree(PROJECT / "seeds", seeds)
    before = Reference(seeds).fingerprint()
    contacts_in(seeds, f"{FIRST},lead,{ADDRESS},,,")
    assert Reference(seeds).fingerprint() == before
    landed = {"files": pl.DataFrame(schema=FILES), "findings": pl.DataFrame(schema=FINDINGS)}
    kept = kept_inputs(seeds, landed, landed["findings"])
    assert not any(b"zyx" in content for content in kept.seed_files["content"])
    write_as_read(seeds, tmp_path / "copy", NO_RENAMES)
    assert holding(tmp_path / "copy", b"zyx") == []
