"""Every mistake in a registry, one line each, with its place and its mend."""

from handlers.connections.lines import Lines, Path


class Problems:
    """Collects what is wrong with one file.

    Args:
        name: the file, as the person named it.
        text: valid TOML.
    """

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self._text = text
        self._lines: Lines | None = None
        self._found: list[tuple[int, str]] = []

    def add(self, path: Path, message: str) -> None:
        """Notes one.

        Args:
            path: keys and indexes of what is wrong.
            message: what is wrong and how to mend it; never the value of what may be a secret.
        """
        if self._lines is None:  # a good file, the rule, never needs them
            self._lines = Lines(self._text)
        line = self._lines.of(path)
        self._found.append((line, f"{self._name}:{line}: {dotted(path)}: {message}"))

    def told(self) -> tuple[str, ...]:
        """The messages, in the order of their lines."""
        return tuple(message for _, message in sorted(self._found, key=lambda each: each[0]))


def dotted(path: Path) -> str:
    """A path as a person writes it: `connections.acme.secrets[1].ref`; control characters are escaped."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part if part.isprintable() else repr(part)}"
    return text.removeprefix(".")
