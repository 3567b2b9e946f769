"""The outline of a page: what a test may hold on to without holding its looks."""

from collections.abc import Sequence
from html.parser import HTMLParser


class Outline(HTMLParser):
    """Reads a page.

    Attributes:
        headings: titles of the document and of its sections, in order.
        captions: of its tables, in order.
        tables: each a list of rows, each the texts of its cells; small print stands behind a bar.
        tags: every element there is.
        attributes: every attribute, with its element.
        unscoped: headings of rows and columns that do not say which of the two they are.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.headings: list[str] = []
        self.captions: list[str] = []
        self.tables: list[list[list[str]]] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.unscoped = 0
        self._text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag == "th" and not dict(attrs).get("scope"):
            self.unscoped += 1
        elif tag == "small":
            self._text.append("|")
        if tag in {"h1", "h2", "th", "td", "caption"}:
            self._text = []

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        text = "".join(self._text).strip()
        if tag in {"h1", "h2"}:
            self.headings.append(text)
        elif tag == "caption":
            self.captions.append(text)
        elif tag in {"th", "td"}:
            self.tables[-1][-1].append(text)
