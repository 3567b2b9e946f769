"""Finding one's way at the console, watching, pausing, against real processes; each with what it came to."""

import itertools
import re
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from playwright.sync_api import Page, expect

from handlers.store.schema import dead_letters, retries
from tests.console import facts
from tests.console.chromium import Watched
from tests.console.hands import act, acts, card, is_applied
from tests.console.plant import NORTH, TRIAL, Plant
from tests.journeys.roles import eventually
from worker.console import links


def test_a_token_opens_what_was_asked_for_and_a_wrong_one_does_not(stranger: Watched, plant: Plant) -> None:
    page = stranger.page()
    page.goto(links.record("asset", NORTH, "PUMP-7"))
    page.get_by_label("Token").fill("mwt_not-a-token")
    stranger.may_answer.add(401)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    stranger.may_answer.clear()
    page.get_by_label("Token").fill(plant.operator)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Feed pump 7")

    (cookie,) = stranger.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    page.get_by_role("button", name="Log out").click()
    page.goto("/")
    expect(page.get_by_label("Token")).to_be_visible()


def test_a_permalink_in_a_mail_leads_to_its_page(page: Page, plant: Plant) -> None:
    """The cookie does not come with a request that another site makes, and yet nobody is asked to log in again."""
    page.set_content(f'<a href="{plant.up.console}{links.record("work_order", NORTH, "WO-NORTH-100")}">order</a>')
    page.get_by_role("link", name="order").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Change bearing")


def test_figures_move_by_themselves_while_events_come(page: Page, plant: Plant) -> None:
    before = len(plant.letters(dead_letters.c.state == "open"))
    page.goto("/")
    letters, chart = card(page, "Open dead letters"), page.locator("figure.series").first.locator("details tbody tr")
    expect(letters).to_have_text(str(before))
    rows = chart.count()
    page.evaluate("document.body.dataset.stays = 'yes'")
    canvas = page.locator("figure.series canvas").first
    expect(canvas).to_be_visible()
    trouble = [{**facts.fact("vendor.created", "V-LIVE", plant.began), "id": f"live-{n}", "version": "?"} for n in "ab"]
    plant.send(TRIAL, *trouble)

    expect(letters).to_have_text(str(before + 2))
    assert page.locator("body").get_attribute("data-stays") == "yes"
    expect(page.locator("#away")).to_be_hidden()
    page.locator("#series").evaluate("region => htmx.trigger(region, 'seen')")
    expect(chart).not_to_have_count(rows)


def test_an_event_is_found_by_its_id_and_tells_its_story(page: Page, plant: Plant) -> None:
    told = facts.fact("work_order.created", "WO-FOUND", plant.began, title="To be found", asset_key="PUMP-7")
    (delivery,) = plant.send(NORTH, told)
    eventually(lambda: is_applied(plant, told["id"]))
    page.goto("/today")
    page.keyboard.press("/")
    page.keyboard.type(told["id"])
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text(told["id"])
    story = page.locator(".story").first
    expect(story).to_contain_text("Accepted")
    expect(story).to_contain_text("Applied")
    expect(page.get_by_role("link", name=delivery).first).to_be_visible()
    page.get_by_role("link", name="WO-FOUND", exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("To be found")


def test_a_connection_is_paused_and_what_it_sent_meanwhile_is_applied_on_resume(page: Page, plant: Plant) -> None:
    number = itertools.count()
    page.goto("/connections")
    page.get_by_role("link", name=TRIAL, exact=True).click()
    act(page, "Pause", "upstream is rebuilt")
    expect(page.locator("main .lead")).to_contain_text("paused")
    assert "paused = true" in (plant.up.home / "connections.toml").read_text()

    def kept() -> str:
        """Sends something, and names it if it is kept and not applied; the worker knows within two seconds."""
        told = facts.fact("asset.created", f"PAUSED-{next(number)}", plant.began, name="While paused")
        (delivery,) = plant.send(TRIAL, told)
        waiting = sa.select(retries.c.delivery_id).where(retries.c.delivery_id == delivery)
        eventually(lambda: is_applied(plant, told["id"]) or bool(plant.ask(waiting)))
        return "" if is_applied(plant, told["id"]) else str(told["id"])

    sent = next(filter(None, iter(kept, None)))
    act(page, "Resume", "rebuilt")
    expect(page.locator("main .lead")).to_contain_text("active")
    eventually(lambda: is_applied(plant, sent))
    assert acts(plant, "connections.pause") == [("operator", "upstream is rebuilt")]
    assert acts(plant, "connections.resume") == [("operator", "rebuilt")]


def test_an_assets_strip_draws_its_stops_and_its_figures_are_those_of_the_command(page: Page, plant: Plant) -> None:
    page.goto("/assets")
    page.get_by_role("link", name="CONV-3", exact=True).click()
    page.get_by_role("link", name="30 days").click()
    strip = page.locator("svg.asset-strip")
    expect(strip).to_be_visible()
    expect(page.locator(".legend")).to_contain_text("down, unplanned")
    drawn = strip.locator("a").count()
    page.get_by_text(re.compile(r"\d+ stops? in 30 days")).click()
    table = page.get_by_role("table", name="Stops, the newest first").locator("tbody tr")
    since = (datetime.now(UTC) - timedelta(days=30)).isoformat()
    told = plant.up.run("uptime", "CONV-3", "--connection", NORTH, "--from", since, "--to", "2099-01-01", "--json").row

    assert drawn == table.count() >= 1
    expect(table.first).to_contain_text("lasts")
    expect(card(page, "Failures")).to_have_text(str(told["failures_effective"]))
    shown = float(card(page, "Availability").inner_text().removesuffix("%"))
    assert abs(shown - 100 * told["availability"]) < 0.01
    page.get_by_role("link", name="365 days").click()
    expect(strip.locator("a")).not_to_have_count(drawn)
    strip.locator("a").last.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("D-CONV-3-now")


def test_the_keyboard_goes_everywhere_and_the_theme_stays(page: Page) -> None:
    page.goto("/audit")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_hidden()
    for key, title in (("o", "Overview"), ("w", "Work orders"), ("p", "PM calendar")):
        page.keyboard.press("g")
        page.keyboard.press(key)
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
    root = page.locator("html")
    assert root.get_attribute("data-theme") is None
    page.get_by_role("button", name="Light or dark").click()
    page.reload()
    expect(root).to_have_attribute("data-theme", "dark")


def test_hostile_names_are_text_and_nothing_else(page: Page) -> None:
    page.goto(links.to("/assets", q="FAN/2"))
    page.get_by_role("link", name="FAN/2 ?&#", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        '"><script>document.title="mine"</script><b>{{7*7}}</b>\\u202egnp.exe'
    )
    assert page.title() != "mine"
    expect(page.locator("main b")).to_have_count(0)


def test_a_fault_that_the_browser_finds_would_fail_a_test(look: Watched) -> None:
    """The watch itself: what breaks the policy, is missing, or raises is noted."""
    page = look.page()
    page.goto("/audit")
    page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\"></p><img src=\"/nothing.png\">')"
    )
    page.evaluate("setTimeout(() => { throw new Error('raised') })")
    expect(page.locator("main img, body > img")).to_have_count(1)

    def noted() -> bool:
        page.wait_for_timeout(50)
        told = "\n".join(look.faults)
        return all(mark in told for mark in ("policy violated: style-src", "404: GET", "page: "))

    eventually(noted, or_say=lambda: "\n".join(look.faults))
    look.faults.clear()
