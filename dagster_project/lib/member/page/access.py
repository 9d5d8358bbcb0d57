"""Who may open the pages of a community: signed links that expire, and the marks of forms.

Belongs here: making and reading a link's text, and the mark that says that a form comes from the page itself.
Does not: cookies and headers (dagster_project/web), a clock: callers hand today over.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import json


def _signed(key: str, purpose: str, text: str) -> str:
    return hmac.new(key.encode(), f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()


def link_text(secret: str, community_id: str, until: dt.date) -> str:
    """What opens the pages of a community up to and including a day."""
    body = json.dumps([community_id, until.isoformat()], ensure_ascii=False, separators=(",", ":"))
    text = base64.urlsafe_b64encode(body.encode()).decode().rstrip("=")
    return f"{text}.{_signed(secret, 'link', text)}"


def community_of(secret: str, link: str, today: dt.date) -> str | None:
    """The community whose pages a link opens today; None for one that is not ours, was changed, or has expired."""
    text, _, signature = link.partition(".")
    if not hmac.compare_digest(_signed(secret, "link", text).encode(), signature.encode()):
        return None
    try:
        community_id, until = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        return None
    return str(community_id) if today <= dt.date.fromisoformat(until) else None


def form_mark(key: str, community_id: str) -> str:
    """The mark that every form of a community's pages carries, which no other site can know."""
    return _signed(key, "form", community_id)


def is_form_mark(key: str, community_id: str, given: str) -> bool:
    """Whether a form that came in carries the mark of the community's own pages."""
    return hmac.compare_digest(form_mark(key, community_id).encode(), given.encode())
