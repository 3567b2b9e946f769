"""Dead letters and replays, acted on by forms alone."""

import re

from tests.worker.console.desk import Desk, await_state, await_text, zoneless
from tests.worker.console.house import MARKED
from worker.console import links


def test_a_letter_is_edited_and_read_anew_by_forms_alone(desk: Desk) -> None:
    """Given a letter whose time is none; when it is corrected on its page; then its event is applied, once."""
    told = '"type": "work_order.created", "occurred_at": "soon",\r\n"data": {"key": "WO-M", "title": "x\u202ey"}'
    body = f'{{"id": "mend-1", {told}}}'
    name = f"{desk.site.plant.send(body)[0]}/0"
    operator = desk.operator
    page = operator.get(links.letter(name))
    assert '<mark class="at" id="at">  &#34;occurred_at&#34;: &#34;soon&#34;,</mark>' in page.answer.text
    form = operator.get(links.to("/dead-letters/edit", id=name))
    text = form.form("/dead-letters/preview").fields["body"][0]
    assert '"title": "x\\u202ey"' in text

    unchanged = operator.send(form, "/dead-letters/preview")
    assert (unchanged.answer.status_code, "Nothing was changed" in unchanged.text) == (200, True)
    still = operator.send(form, "/dead-letters/preview", body=text.replace("soon", "later"))
    assert "Still a dead letter" in still.text
    mended = operator.send(form, "/dead-letters/preview", body=text.replace("soon", "2026-03-01T08:00:00Z"))
    assert "<ins>+  &#34;occurred_at&#34;: &#34;2026-03-01T08:00:00Z&#34;,</ins>" in mended.answer.text
    assert "applied" in mended.text
    done = operator.send(mended, "/dead-letters/edit", reason="typing error")
    assert done.answer.url.path == "/dead-letters/show"
    desk.work()

    letter = desk.letter(name)
    assert letter.state == "superseded"
    story = operator.get(links.event("mend-1"))
    assert "edited by operator-anna" in story.text
    assert "Applied" in story.text
    assert f"Corrects{name}" in re.sub(r"\s+", "", story.text)
    original = operator.get(links.event(letter.delivery_id))
    assert "dead letters: edit" in original.text
    assert "by operator-anna; typing error" in original.text
    assert desk.site.acts()[0]["act"] == "dead_letters.edit"
    assert desk.site.acts()[0]["reason"] == "typing error"
    again = operator.send(mended, "/dead-letters/edit", reason="once more")
    assert again.answer.status_code == 409


def test_what_is_masked_is_shown_and_edited_only_for_a_reason(desk: Desk) -> None:
    name = desk.site.letters[0]
    page = desk.operator.get(links.letter(name))
    assert MARKED not in page.answer.text
    whole = desk.operator.send(page, "/dead-letters/reveal", reason="what did they send?")
    assert f"{MARKED}-letter" in whole.text
    assert desk.site.acts()[0]["act"] == "payloads.reveal"
    form = desk.operator.get(links.to("/dead-letters/edit", id=name))
    assert form.text.count("Something in this payload is masked") == 1
    opened = desk.operator.send(form, "/dead-letters/edit-whole", reason="mend it")
    assert f"{MARKED}-letter" in opened.form("/dead-letters/preview").fields["body"][0]
    without = desk.operator.send(page, "/dead-letters/reveal", reason=" ")
    assert (without.answer.status_code, "say why" in without.text) == (400, True)
    story = desk.operator.get(links.event(desk.site.event_delivery))
    shown = desk.operator.send(story, "/events/reveal", reason="look")
    assert f"{MARKED}-body" in shown.text


def test_one_letter_is_replayed_from_its_page(desk: Desk) -> None:
    (name,) = zoneless(desk, 1, "one")
    page = desk.operator.get(links.letter(name))
    desk.operator.send(page, "/dead-letters/replay", reason="perhaps now")
    await_state(desk, name, "replayed")
    desk.work()
    assert desk.letter(name).state == "open"
    assert len(desk.letter(name).attempts) == 2
    assert desk.operator.get(links.letter(name)).text.count("missing time zone: ") == 3


def test_a_replay_is_planned_started_followed_and_ends(desk: Desk) -> None:
    names = zoneless(desk, 30, "bulk")
    plan = desk.operator.get("/replays/plan", error="missing_time_zone", connection="second")
    assert "letters can be replayed" in plan.text
    page = desk.operator.send(plan, "/replays/start", reason="map mended", rate="100000")
    assert page.answer.url.path == "/replays/show"
    await_state(desk, names[-1], "replayed")
    following = await_text(desk, str(page.answer.url), "done")
    assert "map mended" in following.text
    assert [each.action for each in following.forms if each.action.startswith("/replays")] == []
    desk.work()
    ticked = desk.operator.get("/dead-letters", by="none", connection="second")
    two = desk.operator.send(ticked, "/replays/plan", id=f"{names[0]}\n{names[1]}")
    assert "2 of 2 letters can be replayed" in two.text
    bad = desk.operator.send(two, "/replays/start", reason="x", rate="0")
    assert (bad.answer.status_code, "rate" in bad.text) == (400, True)


def test_a_replay_is_stopped_and_gone_on_with(desk: Desk) -> None:
    zoneless(desk, 40, "slow")
    plan = desk.operator.get("/replays/plan", error="missing_time_zone", connection="second")
    page = desk.operator.send(plan, "/replays/start", reason="slowly", rate="1")
    stopped = desk.operator.send(page, "/replays/stop", reason="too many")
    assert "stopped" in stopped.text
    going = desk.operator.send(stopped, "/replays/resume", reason="go on")
    assert "running" in going.text
    desk.operator.send(going, "/replays/stop", reason="enough")
    assert [each["act"] for each in desk.site.acts()[:3]] == [
        "dead_letters.replay_stopped",
        "dead_letters.replay_resumed",
        "dead_letters.replay_stopped",
    ]
    listed = desk.viewer.get("/replays")
    assert "slowly" in listed.text


def test_letters_are_discarded_by_one_who_is_sure(desk: Desk) -> None:
    names = [f"{each}/0" for each in desk.site.plant.send(*({"type": "x", "n": n} for n in range(2)), to="hook")]
    page = desk.operator.get(links.letter(names[0]))
    unsure = desk.operator.send(page, "/dead-letters/discard", reason="test data")
    assert unsure.answer.status_code == 400
    gone = desk.operator.send(page, "/dead-letters/discard", reason="test data", sure="yes")
    assert gone.answer.url.path == "/dead-letters/show"
    assert desk.letter(names[0]).state == "discarded"
    group = desk.operator.get("/dead-letters", connection="hook", error=desk.letter(names[1]).code)
    desk.operator.send(group, "/dead-letters/discard", reason="test data", sure="yes")
    assert desk.letter(names[1]).state == "discarded"
