"""How far a step is, told to whoever listens.

Belongs here: one logger and the record it carries.
Does not: how progress is shown (cli/main.py shows a bar on a terminal and lines elsewhere).
"""

from __future__ import annotations

import logging

LOGGER = logging.getLogger("cradle.progress")
LOGGER.setLevel(logging.INFO)
LOGGER.propagate = False
LOGGER.addHandler(logging.NullHandler())


def tell(step: str, done: int = 0, total: int = 0) -> None:
    """Tell that `step` has done `done` of `total` parts (0 of 0: it has begun)."""
    LOGGER.info(step, extra={"done": done, "total": total})
