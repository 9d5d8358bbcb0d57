"""The words of a message: all that is to be told to one address on one day.

Belongs here: subject and text in the language of the contact, and the message as it is sent.
Does not: what is to be told (occasions.py), catalogues (member/page/language.py), sending (sending.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from email.policy import SMTP

from dagster_project.lib.base.shown import visible
from dagster_project.lib.member.page.language import Language
from dagster_project.lib.monitoring.mail.occasions import KINDS, Kind, Occasion

WORDS: Mapping[Kind, str] = {
    "late": "{community}, {year}: late. The folder was due on {day} and holds nothing yet. If you have nothing to "
    "report, please say so.",
    "rejected": "{community}, {year}: rejected. Nothing of the folder counts. Problems that keep rows or files out: "
    "{problems}. The receipt says what to do.",
    "mend": "{community}, {year}: to be mended. Problems that keep rows or files out: {problems}. Rows that wait until "
    "a label is known: {waiting}. Open questions: {questions}. Everything else counts. The receipt says what to do.",
    "asked": "{community}, {year}: accepted, and something is asked. Open questions: {questions}. Rows that wait until "
    "a label is known: {waiting}. Everything else counts. The receipt says what to do.",
    "due_soon": "{community}, {year}: due soon. The folder is due on {day}, in {days} days.",
    "received": "{community}, {year}: received. Files in your folder: {files}. The network's next run takes them.",
    "waits": "{community}, {year}: accepted, and no question is open. Rows that wait until a label is known: "
    "{waiting}. Everything else counts.",
    "accepted": "{community}, {year}: accepted. Every row counts, and no question is open.",
}
SUBJECTS: Mapping[Kind, str] = {
    "late": "{network}: your yearly data are late",
    "rejected": "{network}: please look at your receipt",
    "mend": "{network}: please look at your receipt",
    "asked": "{network}: please look at your receipt",
    "due_soon": "{network}: your yearly data are due soon",
    "received": "{network}: your files have arrived",
    "waits": "{network}: your data are accepted",
    "accepted": "{network}: your data are accepted",
}
GREETING = "Hello,"
OPEN_PAGE = "Your page, where you check, send and answer: {address}"
LINK_FOR_YOU = "The link is for your community alone. Please do not pass it on."
CLOSING = "You get at most one message a day from {network}. Whom we write to is told to us by your community."


def message(
    occasions: Sequence[Occasion], names: Mapping[str, str], network: str, spoken: Language, pages: Mapping[str, str]
) -> tuple[str, str]:
    """Subject and text. `names`: communities by id; `pages`: the address of a community's page, where it is known."""
    ordered = sorted(occasions, key=lambda one: (KINDS.index(one.kind), one.community_id, -one.reporting_year))
    lines = [spoken.say(GREETING), ""]
    for one in ordered:
        facts = {"community": names[one.community_id], "year": one.reporting_year, **one.facts}
        lines += [f"- {spoken.say(WORDS[one.kind], **facts)}"]
    for community_id in dict.fromkeys(one.community_id for one in ordered if one.community_id in pages):
        lines += ["", spoken.say(OPEN_PAGE, address=pages[community_id]), spoken.say(LINK_FOR_YOU)]
    lines += ["", spoken.say(CLOSING, network=network), ""]
    return spoken.say(SUBJECTS[ordered[0].kind], network=network), "\n".join(lines)


def as_mail(subject: str, text: str, spoken: Language, sender: str | None, address: str) -> EmailMessage:
    """The message as it is sent; without a sender one that a mail program opens as a draft."""
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = visible(subject).replace("\n", " ")
    mail["To"] = address
    if sender:
        mail["From"] = sender
    else:
        mail["X-Unsent"] = "1"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text)
    mail["Content-Language"] = spoken.code
    return mail
