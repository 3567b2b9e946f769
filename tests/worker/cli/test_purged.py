"""What commands say of deliveries whose bytes are purged: what is kept of them, and what can be done no more."""

from datetime import timedelta

import pytest

from handlers.connections import Registry
from handlers.sources import load
from tests.worker.cli.plant import NOW, Plant, event
from worker.checkpointing import Readers
from worker.purging import purged_archive
from worker.units import Reader

FIRST = event("work_order.created", "WO-1", "08:00", "evt-1", title="seal", asset_key="PUMP-7")
SECOND = event("work_order.created", "WO-2", "09:00", "evt-2", title="bearing")
GONE = "its bytes were purged at 2026-08-01T00:00:00Z; what it told is kept, as it was read then"
BEGUN = (
    "plant: starts from the checkpoint of 2026-07-01T00:00:00Z: 1 deliveries up to then,"
    " whose bytes are purged, are kept as they were read\n"
)


@pytest.fixture
def purged(plant: Plant) -> str:
    """The id of a delivery whose bytes are gone."""
    [name] = plant.send(FIRST)
    registry = Registry(plant.home / "connections.toml", plant.home)
    reader = Reader(registry, load(), max_body_bytes=1024 * 1024)
    tick = purged_archive(Readers(plant.database, registry, reader), "30d", lambda: NOW + timedelta(days=31))
    assert tick.work() == 1
    plant.send(SECOND)
    return name


def test_a_rebuild_says_that_it_starts_from_the_checkpoint(plant: Plant, purged: str) -> None:
    assert purged
    checked, told = plant.run("rebuild", "--check", "--json"), plant.run("rebuild", "--check")
    rebuilt, said = plant.run("rebuild", "--json"), plant.run("rebuild", "--connection", "plant")
    kept = {"deliveries": 1, "newest": "2026-07-01T00:00:00Z"}
    assert (checked.row["checkpoint"], checked.row["deliveries"], checked.row["differences"]) == (kept, 1, 0)
    assert (told.code, told.said) == (0, BEGUN)
    assert rebuilt.row["checkpoint"] == kept
    assert (said.out, said.said) == ("plant: 1 deliveries read; nothing differed\n", BEGUN)


def test_its_bytes_are_nowhere_and_its_story_and_record_are(plant: Plant, purged: str) -> None:
    for name in (purged, "evt-1"):
        raw = plant.run("events", "raw", name)
        assert (raw.code, raw.out, GONE in raw.said) == (4, "", True)
    again = plant.run("events", "replay", "evt-1", "--reason", "why not")
    assert (again.code, GONE in again.said) == (1, True)
    story = plant.run("events", "show", purged, "--json").row
    assert (story["purged_at"], story["repeat_of"]) == ("2026-08-01T00:00:00Z", None)
    assert [each["event_id"] for each in story["events"]] == ["evt-1"]
    assert story["steps"][-1]["step"] == "purged"

    record = plant.run("get", "work-orders", "WO-1", "--raw")
    assert (record.out, "the bytes of its newest record are purged" in record.said) == ("", True)
    assert plant.run("get", "work-orders", "WO-1", "--json").row["title"] == "seal"
    assert plant.run("history", "PUMP-7", "--connection", "plant", "--json").row["event_id"] == "evt-1"


def test_its_time_cannot_be_distrusted_any_more_and_the_plan_says_from_when_on(plant: Plant, purged: str) -> None:
    """Nothing is done then, not even the connection revoked: that is another command."""
    assert purged
    done = plant.run("connections", "revoke", "plant", "--distrust-since", "2026-06-01", "--reason", "leak", "--yes")
    assert done.code == 1
    assert "purged up to 2026-07-01T00:00:00Z" in done.said
    assert "revoked" not in (plant.home / "connections.toml").read_text()


def test_config_show_names_the_setting_and_doctor_what_it_means(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "every byte is kept for ever" in plant.run("doctor", "--json").out
    monkeypatch.setenv("MAINTENWORKS_ARCHIVE_RETENTION", "400d")
    assert "bytes are kept for 400d" in plant.run("doctor", "--json").out
    assert '"400d"' in plant.run("config", "show", "--json").out
