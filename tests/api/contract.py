"""A client that holds the hub to its OpenAPI document: every request and answer must be as it says, and not more."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, Request, has_request_context, request
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.test import TestResponse

from glasshub.app import create_app
from glasshub.hub import Hub

HEARD: defaultdict[str, set[str]] = defaultdict(set)
"""Which parameters of the query each endpoint has read."""


class Listening(ImmutableMultiDict):
    """A query that notes what is read from it."""

    def __getitem__(self, key: str) -> str:
        return super().__getitem__(_heard(key))

    def __contains__(self, key: object) -> bool:
        return super().__contains__(_heard(key))

    def getlist(self, key: str, *args: Any, **kwargs: Any) -> list[Any]:
        return super().getlist(_heard(key), *args, **kwargs)


class ListeningRequest(Request):
    """A request whose query notes what is read from it."""

    parameter_storage_class = Listening


def _heard(key: Any) -> Any:
    if has_request_context() and isinstance(key, str) and request.endpoint:
        HEARD[request.endpoint].add(key.removesuffix("[]"))
    return key


def strict(node: Any) -> Any:
    """The same with objects that have no other properties than those that are named, unless a schema says so."""
    if isinstance(node, list):
        return [strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    closed = {key: value if key in ("examples", "enum") else strict(value) for key, value in node.items()}
    if isinstance(node.get("properties"), dict):
        closed.setdefault("additionalProperties", False)
    return closed


def schemas(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema that stands somewhere in the document, with its place."""

    def below(node: Any, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
        if isinstance(node, dict):
            if "type" in node or "anyOf" in node or "$ref" in node:
                yield place, node
            for key, value in node.items():
                if key not in ("examples", "enum"):
                    yield from below(value, f"{place}/{key}")
        elif isinstance(node, list):
            for number, value in enumerate(node):
                yield from below(value, f"{place}/{number}")

    yield from below(document, "")


class Contract:
    """Asks a hub, and compares what comes with the document that it serves.

    Attributes:
        document: as the hub serves it.
        kept: which operations were asked with success.
        said: the statuses that each operation answered.
    """

    def __init__(self, hub: Hub, *, base_url: str = "http://hub.test") -> None:
        self._schema = pytest.importorskip("jsonschema")
        self.app: Flask = create_app(hub)
        self.app.request_class = ListeningRequest
        self._client, self._base = self.app.test_client(), base_url
        self.document: dict[str, Any] = self._client.get("/api/openapi.json", base_url=base_url).json
        self._closed = strict(self.document)
        self.kept: set[str] = set()
        self.said: defaultdict[str, set[int]] = defaultdict(set)

    def check(self, value: Any, schema: dict[str, Any], *, what: str = "") -> None:
        """Complain when a value is not as a schema says, or has more than it names."""
        whole = {**strict(schema), "components": self._closed["components"]}
        validator = self._schema.Draft202012Validator(
            whole, format_checker=self._schema.Draft202012Validator.FORMAT_CHECKER
        )
        problems = [f"{what} {error.json_path}: {error.message[:300]}" for error in validator.iter_errors(value)]
        assert problems == [], problems

    def operation(self, method: str, path: str) -> dict[str, Any]:
        """The operation at the most exact path of the document that an address fits."""
        fitting = [
            template for template in self.document["paths"]
            if re.fullmatch(re.sub(r"{[^{}]+}", "[^/]+", template).replace(".", r"\."), path)
        ]  # fmt: skip
        template = min(fitting, key=lambda found: found.count("{"))
        found: dict[str, Any] = self.document["paths"][template][method]
        return found

    def operations(self, *, stock: bool = True) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Method, path and operation of all that the document has (or of what is not the stock clients' alone)."""
        for path, item in self.document["paths"].items():
            for method, operation in item.items():
                if method != "parameters" and (stock or operation["tags"] != ["Stock clients"]):
                    yield method, path, operation

    def query_of(self, operation: dict[str, Any]) -> set[str]:
        """The parameters of the query that an operation takes."""
        found = [self._resolved(one) for one in operation.get("parameters", ())]
        return {one["name"] for one in found if one["in"] == "query"}

    def endpoint(self, method: str, address: str) -> str:
        """What answers an address."""
        endpoint, _ = self.app.url_map.bind("hub.test").match(address, method=method.upper())
        return str(endpoint)

    def ask(self, method: str, address: str, *, who: str = "", status: int = 200, **sent: Any) -> TestResponse:
        """What a hub answers to somebody with that token; it must be as documented, and have that status."""
        path, _, _ = address.partition("?")
        operation = self.operation(method, path)
        if "json" in sent and status < 400:
            body = operation["requestBody"]["content"]["application/json"]["schema"]
            self.check(sent["json"], body, what=f"body of {path}")
        headers = {**sent.pop("headers", {}), **({"Authorization": f"Bearer {who}"} if who else {})}
        answer = self._client.open(
            address, method=method.upper(), headers=headers, base_url=self._base, buffered=True, **sent
        )
        assert answer.status_code == status, f"{method} {address}: {answer.status_code} {answer.text[:500]}"
        self._check_answer(operation, answer)
        self.said[operation["operationId"]].add(status)
        if status < 400:
            self.kept.add(operation["operationId"])
        return answer

    def get(self, address: str, **more: Any) -> Any:
        """The body of an answer as JSON."""
        return self.ask("get", address, **more).json

    def post(self, address: str, **more: Any) -> Any:
        """The same for what changes something; ``json`` is the body."""
        return self.ask("post", address, **more).json

    def _resolved(self, item: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in item:
            found: Any = self.document
            for part in item["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            item = found
        return item

    def _check_answer(self, operation: dict[str, Any], answer: TestResponse) -> None:
        what = f"{operation['operationId']} {answer.status_code}"
        assert str(answer.status_code) in operation["responses"], f"{what} is not documented"
        said = self._resolved(operation["responses"][str(answer.status_code)])
        if answer.status_code in (204, 304):
            return
        told = {"Link", "ETag", "X-Error-Code", "X-Error-Message", "X-Hidden-Results", "Content-Disposition"}
        assert {name for name in told if name in answer.headers} <= set(said.get("headers", ())), what
        if "content" not in said:
            return
        assert answer.mimetype in said["content"], f"{what}: {answer.mimetype}"
        schema = said["content"][answer.mimetype].get("schema")
        if answer.is_json and answer.mimetype.endswith("json") and schema is not None:
            self.check(json.loads(answer.text), schema, what=what)
