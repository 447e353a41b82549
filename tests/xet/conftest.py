from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from glasshub import accounts
from glasshub.app import create_app
from glasshub.hub import Hub


@pytest.fixture
def town(hub: Hub) -> Hub:
    for name in ("ada", "eve"):
        accounts.add_user(hub, name)
    return hub


@pytest.fixture
def client(town: Hub) -> FlaskClient:
    return create_app(town).test_client()
