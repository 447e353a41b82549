"""The organisation and its people, as the tests of the API have them."""

from tests.api.conftest import lab  # noqa: F401  a fixture
