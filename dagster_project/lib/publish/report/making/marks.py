"""What pages say of the release itself, and not of its figures: written in once the release's name is known.

Belongs here: the marks that stand for it until then.
Does not: the name of a release (publish/release), or where a page says it (templates).
"""

# Characters of no script, so that no text of a member is taken for a mark.
MARKS = {name: f"\ue000{name}\ue001" for name in ("release_id", "today", "code_version")}
