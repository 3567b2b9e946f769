"""A clock that is wrong: Python runs this at its start where the folder is on `PYTHONPATH`.

What our code and its libraries ask for the time of day is shifted: `time.time`, `time.time_ns`, `datetime.now`. The
monotonic clock is left alone, as on a machine whose time of day is wrong.
"""

import ctypes
import datetime as dt
import gc
import os
import time

_AHEAD = float(os.environ["CLOCK_AHEAD_SECONDS"])
_time, _time_ns = time.time, time.time_ns


def _now(cls: type[dt.datetime], tz: dt.tzinfo | None = None) -> dt.datetime:
    return cls.fromtimestamp(_time() + _AHEAD, tz)


time.time = lambda: _time() + _AHEAD
time.time_ns = lambda: _time_ns() + round(_AHEAD * 1e9)
# A class of C takes no new attributes, and a subclass in its place would be another class to those that compare.
gc.get_referents(dt.datetime.__dict__)[0]["now"] = classmethod(_now)
ctypes.pythonapi.PyType_Modified(ctypes.py_object(dt.datetime))
