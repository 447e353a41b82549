"""Makes one OpenAPI document (3.1) of the YAML files beside this module.

``hub.yaml`` holds what all share; each other file is a noun: a ``tag``, its ``about``, ``paths`` and ``schemas``. They
are OpenAPI, with a few short forms so that they are quick to read and to keep true:

- ``$ref: Result`` is a schema; a text in ``parameters`` is the parameter of that name among those of ``hub.yaml``.
- Parameters in a path are found by their name in braces and need no mention.
- ``errors: [400, 409]`` stands for the shared responses of these statuses; 401 may always come, and 404 and a redirect
  wherever an address names a repo.
- ``json: {...}`` in an answer or a body is its schema as ``application/json``, ``paged: true`` the header ``Link``.
- ``query: {name: what it is}`` are parameters that are text.
- Operations of a noun with ``unspecified`` need a token unless they read; their answer is described so, without schema.
- In a schema ``optional: [...]`` names the properties that may be missing; all others are required.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

import glasshub

_FOLDER = Path(__file__).parent
_METHODS = ("get", "post", "put", "patch", "delete")
_IN_PATH = re.compile(r"\{(\w+)\}")
_ANYWHERE, _OF_REPOS = (401,), (307, 404)


def document(address: str, name: str) -> dict[str, Any]:
    """The whole document.

    Args:
        address: where the hub is.
        name: what it is called.
    """
    made = _made()
    return {**made, "info": {**made["info"], "title": f"{name}: API"}, "servers": [{"url": address}]}


@cache
def _made() -> dict[str, Any]:
    """The document but for what depends on the hub; made once, and only read."""
    made = _read("hub.yaml")
    made["info"]["version"] = glasshub.__version__
    made["tags"], made["paths"], schemas = [], {}, made["components"]["schemas"]
    responses: dict[str, str] = {str(status): name for status, name in made.pop("errors").items()}
    for name in made.pop("nouns"):
        noun = _read(f"{name}.yaml")
        made["tags"].append({"name": noun["tag"], "description": noun["about"]})
        schemas.update(noun.get("schemas", {}))
        for path, item in noun["paths"].items():
            made["paths"][path] = _path(path, {**item, **_unspecified(item, noun)}, noun["tag"], responses)
    found: dict[str, Any] = _spelled_out(made)
    return found


def _read(file: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load((_FOLDER / file).read_text("utf-8"), yaml.CSafeLoader)
    return found


def _unspecified(item: Mapping[str, Any], noun: Mapping[str, Any]) -> dict[str, Any]:
    """The operations of an address, completed where the noun says what is the same for all of its operations."""
    if "unspecified" not in noun:
        return {}
    read: dict[str, Any] = {"responses": {"200": {"description": noun["unspecified"]}}}
    write = {**read, "security": [{"token": []}]}
    return {method: {**(read if method == "get" else write), **item[method]} for method in _METHODS if method in item}


def _path(path: str, item: Mapping[str, Any], tag: str, responses: Mapping[str, str]) -> dict[str, Any]:
    """One address: its parameters, and its operations with tag and errors."""
    given = [*_IN_PATH.findall(path), *item.get("parameters", ())]
    errors = (*_ANYWHERE, *(_OF_REPOS if "{name}" in path else ()))
    found: dict[str, Any] = {"parameters": given} if given else {}
    for method in _METHODS:
        if method in item:
            operation = {"tags": [tag], **item[method]}
            asked = [_text(name, about) for name, about in operation.pop("query", {}).items()]
            if asked:
                operation["parameters"] = [*asked, *operation.get("parameters", ())]
            statuses = sorted({*errors, *operation.pop("errors", ())})
            operation["responses"] = {
                **{str(status): answer for status, answer in operation["responses"].items()},
                **{str(status): {"$ref": f"#/components/responses/{responses[str(status)]}"} for status in statuses},
            }
            found[method] = operation
    return found


def _spelled_out(node: Any) -> Any:
    """``node`` with every short form written as OpenAPI has it."""
    if isinstance(node, list):
        return [_spelled_out(item) for item in node]
    if not isinstance(node, dict):
        return node
    found = {key: _spelled_out(value) for key, value in node.items()}
    if isinstance(reference := found.get("$ref"), str) and "/" not in reference:
        found["$ref"] = f"#/components/schemas/{reference}"
    if isinstance(given := found.get("parameters"), list):
        found["parameters"] = [_parameter(item) for item in given]
    if "json" in found:
        found["content"] = {"application/json": {"schema": found.pop("json")}}
    if found.pop("paged", False):
        found["headers"] = {**found.get("headers", {}), "Link": {"$ref": "#/components/headers/Link"}}
    if isinstance(properties := found.get("properties"), dict):
        optional = found.pop("optional", ())
        if required := [name for name in properties if name not in optional]:
            found["required"] = required
    return found


def _text(name: str, about: str) -> dict[str, Any]:
    return {"in": "query", "name": name, "description": about, "schema": {"type": "string"}}


def _parameter(item: Any) -> Any:
    return {"$ref": f"#/components/parameters/{item}"} if isinstance(item, str) else item
