"""JSON answers by a fast encoder, with the standard library's for what it does not take."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import orjson
from flask import Flask
from flask.json.provider import DefaultJSONProvider

_COMPACT = {"separators"}  # what Flask asks for when it makes an answer
_SORTED = orjson.OPT_SORT_KEYS
# Left to Flask, so that they look as ever.
_PASSED_ON = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_SUBCLASS


class FastJSONProvider(DefaultJSONProvider):
    """Flask's JSON with orjson: leaderboards are hundreds of rows, and a model may have thousands of results."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """JSON text with sorted keys; keyword arguments are those of :func:`json.dumps`."""
        if kwargs.keys() <= _COMPACT:
            # Numbers beyond 64 bits and names that are no Unicode stand in some files.
            with suppress(TypeError):
                return orjson.dumps(obj, self.default, _SORTED | _PASSED_ON).decode()
        return super().dumps(obj, **kwargs)


def init_encoding(app: Flask) -> None:
    """Have ``app`` answer JSON this way."""
    app.json = FastJSONProvider(app)
