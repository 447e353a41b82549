"""A lab of its own for what people like, download and collect."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from glasshub import accounts
from tests.api.lab import Lab, make_lab
from tests.conftest import Live
from tests.people.visitor import Visitor


@pytest.fixture(scope="module")
def lab(live: Live) -> Iterator[Lab]:
    """An organisation with people of all standings."""
    made = make_lab(live)
    yield made
    for client in made.clients.values():
        client.close()


@pytest.fixture
def visit(live: Live) -> Iterator[Callable[..., Visitor]]:
    """Opens browsers for people of the live hub, signed in already; they are closed after the test."""
    opened: list[Visitor] = []

    def open_browser(person=None) -> Visitor:
        opened.append(Visitor(live.url))
        if person is not None:
            opened[-1].session = accounts.start_session(live.hub, person.name)
        return opened[-1]

    yield open_browser
    for visitor in opened:
        visitor.close()
