"""One hub that is served while commands change it, and whose settings ask for a shortlist of benchmarks."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from glasshub import config
from glasshub.hub import open_hub
from tests.cli.shell import Shell, Starter
from tests.conftest import Live, free_port, start_server, stop_server


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The hub, with two processes answering requests."""
    data, port = tmp_path_factory.mktemp("cli") / "data", free_port()
    data.mkdir(mode=0o750)
    (data / "glasshub.toml").write_text('benchmarks = "shortlist"\n')
    log = data.with_name("server.log")
    process = start_server(data, port, log=log)
    hub = open_hub(config.load(data))
    yield Live(f"http://127.0.0.1:{port}", hub, process)
    hub.close()
    stop_server(process)
    assert "Traceback" not in log.read_text()


@pytest.fixture(scope="package")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Starter]:
    """Starts commands quickly."""
    made = Starter(tmp_path_factory.mktemp("starter"))
    yield made
    made.close()


@pytest.fixture(scope="package")
def shell(served: Live, starter: Starter) -> Shell:
    """Commands for the hub that is served."""
    return Shell(served.hub.settings.data, starter)


@pytest.fixture
def http(served: Live) -> Iterator[httpx2.Client]:
    """Somebody who asks the server; redirects are not followed."""
    with httpx2.Client(base_url=served.url) as client:
        yield client
