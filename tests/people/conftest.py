"""Browsers in front of the live hub, a stricter hub for what takes time or many tries, and a hub full of pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from glasshub import accounts, config
from glasshub.hub import open_hub
from tests.conftest import Live, free_port, start_server, stop_server
from tests.pages.site import Site, build_site
from tests.people.visitor import Visitor


@pytest.fixture
def visit() -> Iterator[Callable[..., Visitor]]:
    """Opens browsers; they are closed after the test."""
    opened: list[Visitor] = []

    def open_browser(live: Live, person=None) -> Visitor:
        opened.append(Visitor(live.url))
        if person is not None:  # as if they had signed in before
            opened[-1].session = accounts.start_session(live.hub, person.name)
        return opened[-1]

    yield open_browser
    for visitor in opened:
        visitor.close()


@pytest.fixture(scope="package")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A hub with one process, whose sessions last two seconds and whose registry this package may look into."""
    data, port = tmp_path_factory.mktemp("strict") / "data", free_port()
    data.mkdir(mode=0o755)  # as an admin would make it
    (data / "glasshub.toml").write_text("session_seconds = 2\n")
    process = start_server(data, port, log=data / "server.log", workers=1)
    hub = open_hub(config.load(data))
    yield Live(f"http://127.0.0.1:{port}", hub, process)
    hub.close()
    stop_server(process)


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The hub of :mod:`tests.pages.site`, which holds two private repos that eve may read and nobody else."""
    built = build_site(tmp_path_factory.mktemp("people-site"))
    yield built
    built.hub.close()
