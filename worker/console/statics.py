"""Style sheets and scripts of the pages: part of the wheel, each under a path that holds a hash of its content.

So they may be kept for ever, and a new version is asked for at once. htmx and uPlot are vendored, their licences beside
them.
"""

from collections.abc import Mapping
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

FOLDER: Final = Path(__file__).parent / "static"
MEDIA_TYPES: Final[Mapping[str, str]] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
FOR_EVER: Final = "public, max-age=31536000, immutable"
_HASH_CHARACTERS: Final = 12


class Statics:
    """The files, read once: there are few, and small.

    Args:
        folder: where they are.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files = {each.name: each.read_bytes() for each in sorted(folder.iterdir()) if each.suffix in MEDIA_TYPES}
        self._hashes = {name: sha256(body).hexdigest()[:_HASH_CHARACTERS] for name, body in self._files.items()}

    def url(self, name: str) -> str:
        """The address of a file.

        Raises:
            KeyError: there is none of that name.
        """
        return f"/static/{self._hashes[name]}/{name}"

    def route(self) -> Route:
        """What serves them; to anybody, for they hold nothing of anybody's."""
        return Route("/static/{hash}/{name}", self._serve, methods=["GET"])

    async def _serve(self, request: Request) -> Response:
        name = request.path_params["name"]
        if self._hashes.get(name) != request.path_params["hash"]:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        headers = {"cache-control": FOR_EVER, "content-type": MEDIA_TYPES[Path(name).suffix]}
        return Response(self._files[name], headers=headers)
