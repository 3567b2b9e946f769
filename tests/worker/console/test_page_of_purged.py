"""What the page and the API tell of a delivery whose bytes are purged."""

from handlers.store import archive_retention
from handlers.store.archive_retention import Old
from handlers.store.rowset import Transaction
from tests.worker.cli.plant import NOW, event
from tests.worker.console.desk import Desk
from worker.console import links
from worker.console.house import utc_now


def test_its_story_is_told_and_nothing_is_offered_that_would_need_its_bytes(desk: Desk) -> None:
    plant = desk.site.plant
    [name] = plant.send(event("vendor.created", "V-purged", "08:00", "evt-purged", name="Acme"))
    before = desk.operator.get(links.event(name))
    with plant.database.write() as connection:
        archive_retention.purge(Transaction(connection), [Old(NOW, name, "plant", 1)], utc_now())

    page = desk.operator.get(links.event(name))

    assert page.answer.status_code == 200
    assert "Its bytes were purged: what it told is kept" in page.text
    assert "evt-purged" in page.text
    assert ("Work on it again" in before.text, "Work on it again" in page.text) == (True, False)
    assert ("Payload" in before.text, "Payload" in page.text) == (True, False)
    refused = desk.operator.send(before, "/events/again", reason="to be sure")
    assert refused.answer.status_code == 409
    assert "its bytes were purged" in refused.text
