"""A browser without scripts: it follows links, fills forms in and sends them, and that is all it can do."""

from html.parser import HTMLParser
from typing import Self

import httpx

from tests.journeys.roles import PATIENCE_SECONDS


class Form:
    """A form as it stands on a page: what would be sent if nobody touched it."""

    def __init__(self, action: str, method: str) -> None:
        self.action = action
        self.method = method
        self.fields: dict[str, list[str]] = {}


class Page(HTMLParser):
    """What a browser makes of a page.

    Attributes:
        forms: in order.
        links: where its links lead.
        text: all of it that is no markup.
        inline: what a strict policy would not let run or apply.
    """

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.answer = answer
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.text = ""
        self.inline: list[str] = []
        self._form: Form | None = None
        self._area: str | None = None
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.inline += [f"{tag} {name}" for name in given if name == "style" or name.startswith(("on", "hx-on"))]
        if tag == "style" or (tag == "script" and "src" not in given):
            self.inline.append(tag)
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag == "form":
            self._form = Form(given.get("action", ""), given.get("method", "get"))
            self.forms.append(self._form)
        if self._form is not None and "name" in given and tag in {"input", "textarea"}:
            if tag == "textarea":
                self._area = given["name"]
                self._form.fields[self._area] = [""]
            elif given.get("type") not in {"checkbox", "radio"}:
                self._form.fields.setdefault(given["name"], []).append(given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "textarea" and self._area is not None and self._form is not None:
            held = self._form.fields[self._area]
            held[0] = held[0].removeprefix("\n")  # HTML drops the first line end of a field
            self._area = None

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._area is not None and self._form is not None:
            self._form.fields[self._area][0] += data

    def form(self, action: str) -> Form:
        """The one form that leads there."""
        (found,) = [each for each in self.forms if each.action == action]
        return found


class Browser:
    """Somebody who is logged in."""

    def __init__(self, base: str, token: str) -> None:
        self.client = httpx.Client(base_url=base, headers={"accept": "text/html"}, timeout=PATIENCE_SECONDS)
        assert self.client.post("/login", data={"token": token}).status_code == 303

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def get(self, path: str, **query: str) -> Page:
        """Looks at a page."""
        return Page(self.client.get(path, params=query or None, follow_redirects=True))

    def send(self, page: Page, action: str, **filled: str) -> Page:
        """Fills a form of a page in, and sends it."""
        form = page.form(action)
        fields = {**form.fields, **{name: [value] for name, value in filled.items()}}
        # A browser ends lines with CR and LF.
        told = {
            name: [each.replace("\r\n", "\n").replace("\n", "\r\n") for each in each_of]
            for name, each_of in fields.items()
        }
        return Page(self.client.request(form.method.upper(), action, data=told, follow_redirects=True))
