"""Conditions that an index is made for: a question finds the index only if it asks in the same words."""

from typing import Final

UNFINISHED_ORDER: Final = (
    "NOT is_deleted AND status IN ('requested', 'approved', 'scheduled', 'in_progress', 'on_hold')"
)
"""Orders on which work is still to be done, `handlers.rules.lifecycle.UNFINISHED`: most of an archive is not."""
IN_PROGRESS_ORDER: Final = "NOT is_deleted AND status = 'in_progress'"
VALID_SPAN: Final = "NOT is_void"
