"""`python -P -m worker worker`, and likewise `scheduler` and `console`: the processes themselves."""

import sys

from handlers.errors import MaintenworksError
from worker.cli import output
from worker.processes import ROLES


def main(arguments: list[str]) -> int:
    """Runs one role until it is told to stop; returns its exit code."""
    if len(arguments) != 1 or arguments[0] not in ROLES:
        output.note(f"usage: python -P -m worker {'|'.join(ROLES)}")
        return output.USAGE
    try:
        ROLES[arguments[0]]()
    except MaintenworksError as error:
        return output.refuse(error)
    return output.OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
