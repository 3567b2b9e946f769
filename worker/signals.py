"""Told to end: the first signal lets a process finish what it began, a second one ends it at once.

What it had not committed or answered by then is no more lost than after a kill: the broker has it, or the sender.
"""

import os
import signal
from typing import NoReturn

import structlog

_log = structlog.stdlib.get_logger(__name__)


def cut_short(number: int) -> NoReturn:
    """Ends this process now, with 128 and the signal's number, as a shell would say it.

    Args:
        number: of the second signal.
    """
    _log.warning("drain_cut_short", signal=signal.Signals(number).name)
    os._exit(128 + number)
