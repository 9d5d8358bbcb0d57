"""A zero is written without a sign.

Belongs here: the one expression for it. Does not: rounding, or figures that arrays hold (adding 0.0 does there).
"""

from __future__ import annotations

import polars as pl


def unsigned_zero(value: pl.Expr) -> pl.Expr:
    """-0.0 as 0.0. Adding 0.0 does nothing in an expression: it is taken out before anything is computed."""
    return pl.when(value == 0.0).then(0.0).otherwise(value)
