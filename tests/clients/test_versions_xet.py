"""Every version of the stock client that people have, with Xet, against one live hub."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients import versions
from tests.conftest import Live

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("version", versions.VERSIONS)
def test_version(live: Live, tmp_path: Path, version: str):
    versions.check(live, tmp_path, version, plain=False)
