"""Reading JSON bodies: every field is checked for its kind, and what is wrong is said by name."""

from __future__ import annotations

import json
from typing import Any

from flask import request

from glasshub.errors import Invalid

_REQUIRED = "\0"


class JsonBody:
    """The fields of a JSON object."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields

    def require_known(self, *names: str) -> None:
        """Return if all fields have one of these names: what is misspelt must not seem done. Raises ``Invalid``."""
        unknown = sorted(set(self.fields) - set(names))
        if unknown:
            said = ", ".join(repr(name[:40]) for name in unknown[:5])
            raise Invalid(f"There is no field {said} here. The fields are: {', '.join(names)}.")

    def text(self, name: str, default: str = _REQUIRED) -> str:
        """A text; null counts as missing. Raises ``Invalid`` when it is something else, or missing without default."""
        value = self.fields.get(name)
        if value is None and default != _REQUIRED:
            return default
        if not isinstance(value, str):
            raise Invalid(f"Send {name} as text in a JSON body.")
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """True or false; null counts as missing. Raises ``Invalid`` when it is something else."""
        value = self.fields.get(name)
        if value is not None and not isinstance(value, bool):
            raise Invalid(f"Send {name} as true or false.")
        return default if value is None else value

    def maybe_flag(self, name: str) -> bool | None:
        """True, false, or ``None`` when it is missing or null. Raises ``Invalid`` when it is something else."""
        return None if self.fields.get(name) is None else self.flag(name)


def json_body() -> JsonBody:
    """The body of the request; none at all, of whatever type, is an empty object.

    Raises:
        Invalid: it is no JSON object.
    """
    data = request.get_data()
    if not data.strip():
        return JsonBody({})
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Invalid("Send a JSON object as the body.")
    return JsonBody(found)
