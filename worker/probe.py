"""`python -P -m worker.probe PORT`: whether the role on that port here lives, for a container's health check.

Needs no shell and no other program, so it works in an image that has neither.
"""

import sys
from http import HTTPStatus

from handlers.errors import MaintenworksError
from handlers.settings import Settings, load
from worker.cli import output
from worker.http_client import open_client, request


def main(arguments: list[str]) -> int:
    """Asks `/livez`; returns the exit code: 0 where it answers 200, else another."""
    if len(arguments) != 1 or not arguments[0].isdecimal():
        output.note("usage: python -P -m worker.probe PORT")
        return output.USAGE
    try:
        token = load(Settings).metrics_token
        headers = {"authorization": f"Bearer {token.get_secret_value()}"} if token else {}
        with open_client() as client:
            answer = request(client, "GET", f"http://127.0.0.1:{arguments[0]}/livez", headers=headers)
    except MaintenworksError as error:
        return output.refuse(error)
    if answer.status_code == HTTPStatus.OK:
        return output.OK
    output.note(f"answered {answer.status_code}")
    return output.FAILURE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
