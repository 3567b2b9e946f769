"""Every page there is, whoever wrote it: who may see it and who may act, and nothing secret on any."""

import re
from html import unescape

import pytest

from tests.worker.console.house import MARKED, Site, bearer
from worker.console import pages
from worker.console.access.sessions import COOKIE
from worker.console.ask import Page

HTML = {"accept": "text/html"}
PAGES = pages.load()
LINK = re.compile(r'href="(/[^"#]*)')
MOST_PAGES = 400
"""That are looked at, beginning at the front page."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.method} {page.path}")
def test_nobody_sees_a_page_and_a_viewer_changes_nothing(served: Site, page: Page) -> None:
    before = served.acts()
    served.clock.seconds += 1_000
    address = re.sub(r"{\w+}", "x", page.path)
    nobody = served.client.request(page.method, address, headers=HTML)
    if page.method == "GET":
        assert (nobody.status_code, nobody.headers["location"].startswith("/login")) == (303, True)
        return
    fields = {"reason": "test", "csrf": "x"}
    assert nobody.status_code == 401
    assert served.client.post(address, data=fields, headers=bearer(served.viewer)).status_code == 403
    token = served.door.tokens.named("operator-anna")
    assert token is not None
    cookie = {"cookie": f"{COOKIE}={served.door.sessions.begin(token)}"}
    assert served.client.post(address, data=fields, headers=cookie).status_code == 403
    assert served.acts() == before


def test_every_link_leads_somewhere_and_no_page_has_a_secret(served: Site) -> None:
    seen, waiting = {"/"}, ["/"]
    while waiting and len(seen) < MOST_PAGES:
        address = waiting.pop(0)
        answer = served.client.get(address, headers={**HTML, **bearer(served.viewer)})
        assert answer.status_code == 200, (address, answer.status_code)
        for secret in (MARKED, served.viewer, served.operator):
            assert secret not in answer.text, address
        for link in map(unescape, LINK.findall(answer.text)):
            if link not in seen and not link.startswith(("/static/", "/api/", "/metrics", "/readyz")):
                seen.add(link)
                waiting.append(link)
    assert len(seen) > 20
