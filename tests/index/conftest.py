"""A hub with people, and pushes through its own door."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from glasshub import accounts
from glasshub.config import Settings
from glasshub.hub import open_hub
from tests.index.town import Town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A hub where ``ada`` and ``bob`` live and ``lab`` is an organisation of ada's."""
    hub = open_hub(Settings(data=tmp_path / "data"))
    for name in ("ada", "bob"):
        accounts.add_user(hub, name)
    accounts.add_org(hub, "lab", admin="ada", full_name="The Lab")
    yield Town(hub)
    hub.close()
