"""Dead letters at the console, from the first look to the last replay, against real processes."""

import itertools
import re

import sqlalchemy as sa
from playwright.sync_api import Page, expect

from handlers.store.schema import dead_letters, meter_readings, replays, work_orders
from tests.console.chromium import Watched
from tests.console.hands import act, acts, card, is_applied, state
from tests.console.plant import LETTERS, LINE, NORTH, OLD_DATES, TOKEN_IN_A_BODY, Plant, line
from tests.journeys.roles import eventually
from worker.console import links

BULK = 500
FAST, SLOW = "400", "1"
"""Letters a second."""


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
    assert state(plant, name) == "open"
    act(page, "Send the corrected copy on its way", "typing error upstream")

    eventually(lambda: is_applied(plant, "no-version"))
    expect(page.locator("#letter")).to_contain_text("applied")
    assert state(plant, name) == "superseded"
    assert ("operator", "typing error upstream") in acts(plant, "dead_letters.edit")


def test_what_is_masked_is_shown_to_who_says_why(page: Page, plant: Plant) -> None:
    (name,) = plant.letters(dead_letters.c.code == "missing_field")
    page.goto(links.letter(name))
    payload = page.get_by_role("region", name="Payload of")
    expect(payload).to_contain_text("api_token")
    assert TOKEN_IN_A_BODY not in page.content()
    act(page, "Show it whole", "which token was it")

    expect(payload).to_contain_text(TOKEN_IN_A_BODY)
    assert ("operator", "which token was it") in acts(plant, "payloads.reveal")


def test_five_hundred_letters_are_replayed_by_a_plan_that_was_stopped_once(page: Page, plant: Plant) -> None:
    """Given a cause that is mended; a replay of its letters is planned, started, stopped; the rest then runs fast."""
    assert OLD_DATES in (plant.up.home / "connections.toml").read_text()
    plant.mend_the_map()
    _await_the_mend(plant)
    of_line_open = dead_letters.c.connection_id == LINE, dead_letters.c.state == "open"
    before = len(plant.letters(*of_line_open))
    page.goto("/dead-letters")
    page.get_by_role("row", name=re.compile("geaendert_am")).get_by_role("link").first.click()
    _plan(page, SLOW, "map mended")
    page.get_by_role("heading", name="running").wait_for()
    act(page, "Stop it", "too slow")
    expect(page.locator("#progress")).to_contain_text("stopped")
    assert BULK <= len(plant.letters(*of_line_open)) <= before

    page.goto(links.to("/dead-letters", connection=LINE, by="none"))
    expect(page.get_by_role("checkbox").first).to_be_visible()
    _plan(page, FAST, "map mended, faster")
    figure = card(page, "Applied")
    expect(page.locator("#progress")).to_contain_text(re.compile(r"done\s*\d+ of \d+"))
    expect(figure).not_to_have_text("0")
    of_line = sa.select(sa.func.count()).select_from(work_orders).where(work_orders.c.connection_id == LINE)
    eventually(lambda: plant.ask(of_line)[0][0] >= LETTERS, every=0.3)
    expect(card(page, "Open again")).to_have_text("0")
    expect(card(page, "On their way")).to_have_text("0")

    assert plant.letters(*of_line_open) == []
    totals = [row.total for row in plant.ask(sa.select(replays.c.total).order_by(replays.c.created_at))]
    assert totals[-1] >= BULK
    assert acts(plant, "dead_letters.replay")[-2:] == [("operator", "map mended"), ("operator", "map mended, faster")]
    assert acts(plant, "dead_letters.replay_stopped") == [("operator", "too slow")]
    page.goto("/audit/verify")
    expect(page.get_by_role("status").first).to_contain_text("The chain is whole")


def test_without_scripts_one_logs_in_finds_edits_and_replays(without_scripts: Watched, plant: Plant) -> None:
    (name,) = plant.letters(dead_letters.c.path == "$.data.value")
    page = without_scripts.log_in(plant.operator)
    page.get_by_role("searchbox").fill(name)
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="Edit", exact=True).click()
    payload = page.get_by_label("Payload")
    payload.fill(payload.input_value().replace('"many"', "13200"))
    page.get_by_role("button", name="Look at the difference").click()
    act(page, "Send the corrected copy on its way", "the sensor says 13200")

    reading = sa.select(meter_readings.c.key).where(meter_readings.c.key == "R-bad")
    eventually(lambda: bool(plant.ask(reading)))
    page.reload()
    expect(page.locator("#letter")).to_contain_text("superseded")


def _plan(page: Page, rate: str, reason: str) -> None:
    page.get_by_role("link", name="Plan a replay of all that match").click()
    expect(page.get_by_role("heading", name=re.compile(r"(\d+) of \1 letters can be replayed"))).to_be_visible()
    page.get_by_label("Letters a second").fill(rate)
    act(page, "Start", reason)


def _await_the_mend(plant: Plant) -> None:
    """Sends what the old map cannot read until it is read: the worker looks at the file once a second."""
    for number in itertools.count(LETTERS):
        (delivery,) = plant.send(LINE, line(number, plant.began))
        letter = sa.select(dead_letters.c.code).where(dead_letters.c.delivery_id == delivery)
        eventually(lambda event=f"e-{number}", found=letter: is_applied(plant, event) or bool(plant.ask(found)))  # type: ignore[misc]
        if is_applied(plant, f"e-{number}"):
            return
