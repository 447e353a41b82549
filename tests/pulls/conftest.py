"""A village: ada owns models, the lab benchmarks; eve and mo are strangers to both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from glasshub import accounts
from glasshub.config import Settings
from glasshub.hub import open_hub
from tests.pulls.village import Village


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Village]:
    """A hub where ada, bob, eve and mo live."""
    hub = open_hub(Settings(data=tmp_path / "data"))
    for name in ("ada", "bob", "eve", "mo"):
        accounts.add_user(hub, name)
    accounts.add_org(hub, "lab", admin="ada", full_name="The Lab")
    yield Village(hub)
    hub.close()
