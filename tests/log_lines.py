"""Log lines as the code that wrote them knows them: `event`, `level`, and its own fields by their short names."""

import json
from typing import Any

from worker.logs import ECS

_SHORT = {name: short for short, name in reversed(ECS.items())}


def read_line(text: str | bytes) -> dict[str, Any]:
    """One line of the JSON form."""
    line: dict[str, Any] = json.loads(text)
    return {_SHORT.get(name, name.removeprefix("maintenworks.")): value for name, value in line.items()}
