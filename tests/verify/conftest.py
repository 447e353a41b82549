"""The town of the index tests, for badges."""

from tests.index.conftest import town

__all__ = ["town"]
