"""A page that takes longer than a moment is begun before it is reckoned."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import StreamingResponse

from tests import folding
from tests.worker.console.plant import house
from worker.console.access.principal import Principal
from worker.console.ask import Ask
from worker.console.pages import uptime


def test_the_head_is_sent_before_anything_is_reckoned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reckoned: list[bool] = []

    def figures(*asked: Any) -> Any:
        reckoned.append(True)
        return found(*asked)

    found = uptime._figures
    monkeypatch.setattr(uptime, "_figures", figures)
    database = folding.sqlite(tmp_path)
    query = {"period": "2026-05"}
    who = Principal("anna", "viewer", None)
    sent = uptime.show(Ask(house(tmp_path, database), who, "/uptime", {}, query, {}, is_fragment=False))
    assert isinstance(sent, StreamingResponse)

    async def journey() -> None:
        parts = aiter(sent.body_iterator)
        assert "<html" in str(await anext(parts))
        assert reckoned == []
        assert "</html>" in "".join([str(each) async for each in parts])
        assert reckoned == [True]

    asyncio.run(journey())
    database.close()
