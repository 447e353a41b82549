"""One site for all tests of pages: they only read it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.pages.site import Site, build_site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The hub of :mod:`tests.pages.site`."""
    built = build_site(tmp_path_factory.mktemp("site"))
    yield built
    built.hub.close()
