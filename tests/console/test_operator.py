"""What an operator does at the console, click by click, against real processes; each with what it came to."""

import itertools
import re
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from playwright.sync_api import Locator, Page, expect

from handlers.events import Outcome
from handlers.store.schema import audit_log, dead_letters, events, meter_readings, replays, retries, work_orders
from tests.console import facts
from tests.console.chromium import Watched
from tests.console.plant import LETTERS, LINE, NORTH, OLD_DATES, TOKEN_IN_A_BODY, TRIAL, Plant, line
from tests.journeys.roles import PATIENCE_SECONDS, eventually
from worker.console import links

SLOW_MS = PATIENCE_SECONDS * 1000
BULK = 500
FAST, SLOW = "400", "1"
"""Letters a second."""


def _card(page: Page, title: str) -> Locator:
    """The figure under a title."""
    return page.locator(".card", has=page.get_by_role("heading", name=title, exact=True)).locator(".figure")


def _act(page: Page, button: str, reason: str) -> None:
    """Says why, and presses a button beside."""
    pressed = page.get_by_role("button", name=button, exact=True)
    page.locator("form", has=pressed).get_by_label("Reason").fill(reason)
    pressed.click()


def _acts(plant: Plant, act: str) -> list[tuple[str, str]]:
    """Who did something, and why."""
    found = plant.ask(sa.select(audit_log.c.who, audit_log.c.reason).where(audit_log.c.act == act))
    return [(row.who, row.reason) for row in found]


def _is_applied(plant: Plant, event_id: str) -> bool:
    query = sa.select(events.c.outcome).where(events.c.event_id == event_id)
    return [row.outcome for row in plant.ask(query)] == [Outcome.APPLIED.value]


def _state(plant: Plant, letter: str) -> str:
    delivery, _, index = letter.rpartition("/")
    query = sa.select(dead_letters.c.state).where(dead_letters.c.delivery_id == delivery)
    ((state,),) = plant.ask(query.where(dead_letters.c.event_index == int(index)))
    return str(state)


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
    page.goto("/")
    letters, chart = _card(page, "Open dead letters"), page.locator("figure.series tbody").first.locator("tr")
    before, rows = int(letters.inner_text()), chart.count()
    page.evaluate("document.body.dataset.stays = 'yes'")
    canvas = page.locator("figure.series canvas").first
    expect(canvas).to_be_visible()
    trouble = [{**facts.fact("vendor.created", "V-LIVE", plant.began), "id": f"live-{n}", "version": "?"} for n in "ab"]
    plant.send(TRIAL, *trouble)

    expect(letters).to_have_text(str(before + 2), timeout=SLOW_MS)
    assert page.locator("body").get_attribute("data-stays") == "yes"
    expect(page.locator("#away")).to_be_hidden()
    page.locator("#series").evaluate("region => htmx.trigger(region, 'seen')")
    expect(chart).not_to_have_count(rows, timeout=SLOW_MS)


def test_an_event_is_found_by_its_id_and_tells_its_story(page: Page, plant: Plant) -> None:
    told = facts.fact("work_order.created", "WO-FOUND", plant.began, title="To be found", asset_key="PUMP-7")
    (delivery,) = plant.send(NORTH, told)
    eventually(lambda: _is_applied(plant, told["id"]))
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


def test_a_dead_letter_is_read_edited_and_applied(page: Page, plant: Plant) -> None:
    (name,) = plant.letters(dead_letters.c.path == "$.version", dead_letters.c.connection_id == NORTH)
    page.goto("/dead-letters")
    page.get_by_role("row", name="wrong type").get_by_role("link").first.click()
    page.locator(f'a[href="{links.letter(name)}"]').click()
    expect(page.locator("mark.at")).to_contain_text('"version": "x"')
    page.get_by_role("link", name="Edit", exact=True).click()
    payload = page.get_by_label("Payload")
    payload.fill(payload.input_value().replace('"x"', "7"))
    page.get_by_role("button", name="Look at the difference").click()
    expect(page.locator(".diff ins")).to_contain_text('"version": 7')
    expect(page.get_by_role("table")).to_contain_text("applied")
    assert _state(plant, name) == "open"
    _act(page, "Send the corrected copy on its way", "typing error upstream")

    eventually(lambda: _is_applied(plant, "no-version"))
    expect(page.locator("#letter")).to_contain_text("applied", timeout=SLOW_MS)
    assert _state(plant, name) == "superseded"
    assert _acts(plant, "dead_letters.edit") == [("operator", "typing error upstream")]


def test_what_is_masked_is_shown_to_who_says_why(page: Page, plant: Plant) -> None:
    (name,) = plant.letters(dead_letters.c.code == "missing_field")
    page.goto(links.letter(name))
    payload = page.get_by_role("region", name="Payload of")
    expect(payload).to_contain_text("api_token")
    assert TOKEN_IN_A_BODY not in page.content()
    _act(page, "Show it whole", "which token was it")

    expect(payload).to_contain_text(TOKEN_IN_A_BODY)
    assert ("operator", "which token was it") in _acts(plant, "payloads.reveal")


def test_five_hundred_letters_are_replayed_by_a_plan_that_was_stopped_once(page: Page, plant: Plant) -> None:
    """Given a cause that is mended; a replay of its letters is planned, started, stopped; the rest then runs fast."""
    assert OLD_DATES in (plant.up.home / "connections.toml").read_text()
    plant.mend_the_map()
    _await_the_mend(plant)
    page.goto("/dead-letters")
    page.get_by_role("row", name=re.compile("geaendert_am")).get_by_role("link").first.click()
    _plan(page, SLOW, "map mended")
    page.get_by_role("heading", name="running").wait_for()
    _act(page, "Stop it", "too slow")
    expect(page.locator("#progress")).to_contain_text("stopped", timeout=SLOW_MS)
    left = len(plant.letters(dead_letters.c.connection_id == LINE, dead_letters.c.state == "open"))
    assert BULK <= left < LETTERS + 50

    page.goto(links.to("/dead-letters", connection=LINE, by="none"))
    expect(page.get_by_role("checkbox").first).to_be_visible()
    _plan(page, FAST, "map mended, faster")
    figure = _card(page, "Applied")
    expect(page.locator("#progress")).to_contain_text(re.compile(r"done\s*\d+ of \d+"), timeout=SLOW_MS)
    expect(figure).not_to_have_text("0", timeout=SLOW_MS)
    of_line = sa.select(sa.func.count()).select_from(work_orders).where(work_orders.c.connection_id == LINE)
    eventually(lambda: plant.ask(of_line)[0][0] >= LETTERS, every=0.3)
    expect(_card(page, "Open again")).to_have_text("0")
    expect(_card(page, "On their way")).to_have_text("0", timeout=SLOW_MS)

    assert plant.letters(dead_letters.c.connection_id == LINE, dead_letters.c.state == "open") == []
    totals = [row.total for row in plant.ask(sa.select(replays.c.total).order_by(replays.c.created_at))]
    assert totals[-1] >= BULK
    assert _acts(plant, "dead_letters.replay")[-2:] == [("operator", "map mended"), ("operator", "map mended, faster")]
    assert plant.up.run("audit", "verify").code == 0


def test_a_connection_is_paused_and_what_it_sent_meanwhile_is_applied_on_resume(page: Page, plant: Plant) -> None:
    number = itertools.count()
    page.goto("/connections")
    page.get_by_role("link", name=TRIAL, exact=True).click()
    _act(page, "Pause", "upstream is rebuilt")
    expect(page.locator("main .lead")).to_contain_text("paused")
    assert "paused = true" in (plant.up.home / "connections.toml").read_text()

    def kept() -> str:
        """Sends something, and names it if it is kept and not applied; the worker knows within two seconds."""
        told = facts.fact("asset.created", f"TOY-{next(number)}", plant.began, name="While paused")
        (delivery,) = plant.send(TRIAL, told)
        waiting = sa.select(retries.c.delivery_id).where(retries.c.delivery_id == delivery)
        eventually(lambda: _is_applied(plant, told["id"]) or bool(plant.ask(waiting)))
        return "" if _is_applied(plant, told["id"]) else str(told["id"])

    sent = next(filter(None, iter(kept, None)))
    _act(page, "Resume", "rebuilt")
    expect(page.locator("main .lead")).to_contain_text("active")
    eventually(lambda: _is_applied(plant, sent))
    assert _acts(plant, "connections.pause") == [("operator", "upstream is rebuilt")]
    assert _acts(plant, "connections.resume") == [("operator", "rebuilt")]


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
    expect(_card(page, "Failures")).to_have_text(str(told["failures_effective"]))
    shown = float(_card(page, "Availability").inner_text().removesuffix("%"))
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


def test_without_scripts_one_logs_in_finds_edits_and_replays(without_scripts: Watched, plant: Plant) -> None:
    (name,) = plant.letters(dead_letters.c.path == "$.data.value")
    page = without_scripts.log_in(plant.operator)
    page.get_by_role("searchbox").fill(name)
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="Edit", exact=True).click()
    payload = page.get_by_label("Payload")
    payload.fill(payload.input_value().replace('"many"', "13200"))
    page.get_by_role("button", name="Look at the difference").click()
    _act(page, "Send the corrected copy on its way", "the sensor says 13200")

    reading = sa.select(meter_readings.c.key).where(meter_readings.c.key == "R-bad")
    eventually(lambda: bool(plant.ask(reading)))
    page.reload()
    expect(page.locator("#letter")).to_contain_text("superseded")


def _plan(page: Page, rate: str, reason: str) -> None:
    page.get_by_role("link", name="Plan a replay of all that match").click()
    expect(page.get_by_role("heading", name=re.compile(r"(\d+) of \1 letters can be replayed"))).to_be_visible()
    page.get_by_label("Letters a second").fill(rate)
    _act(page, "Start", reason)


def _await_the_mend(plant: Plant) -> None:
    """Sends what the old map cannot read until it is read: the worker looks at the file once a second."""
    for number in itertools.count(LETTERS):
        (delivery,) = plant.send(LINE, line(number, plant.began))
        letter = sa.select(dead_letters.c.code).where(dead_letters.c.delivery_id == delivery)
        eventually(lambda event=f"e-{number}", found=letter: _is_applied(plant, event) or bool(plant.ask(found)))  # type: ignore[misc]
        if _is_applied(plant, f"e-{number}"):
            return
