"""The OpenAPI document as people read it: groups of operations, and what bodies hold, with links between them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from glasshub.markdown import render_markdown

_WORDS = {
    "string": "text", "integer": "whole number", "number": "number", "boolean": "true or false", "object": "object",
    "null": "null",
}  # fmt: skip
_JSON = "application/json"
_METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, or a property of an object. ``type`` and ``about`` are HTML."""

    name: str
    type: Markup
    about: Markup
    required: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """A status that an operation answers with; ``type`` is what comes then (HTML, maybe empty)."""

    status: str
    about: Markup
    type: Markup


@dataclass(frozen=True, slots=True)
class Operation:
    """One address with a method. ``body`` is what is sent along as JSON; ``needs_token`` whether nobody else may."""

    id: str
    method: str
    path: str
    summary: str
    about: Markup
    needs_token: bool
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    answers: tuple[Answer, ...]
    errors: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """What is about one noun."""

    name: str
    about: Markup
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Thing:
    """A schema with a name: an object with ``fields``, or else something of a ``type``; ``example`` is JSON text."""

    name: str
    type: Markup
    about: Markup
    fields: tuple[Field, ...]
    example: str


class Reading:
    """Reads one document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self.about = markdown(document["info"]["description"])

    def groups(self) -> list[Group]:
        """All operations, by what they are about."""
        found: dict[str, list[Operation]] = {tag["name"]: [] for tag in self._document["tags"]}
        for path, item in self._document["paths"].items():
            for method in _METHODS:
                if method in item:
                    found[item[method]["tags"][0]].append(self._operation(path, method, item))
        return [
            Group(tag["name"], markdown(tag["description"]), tuple(found[tag["name"]]))
            for tag in self._document["tags"]
        ]

    def things(self) -> list[Thing]:
        """All schemas that have a name, by name."""
        return [self._thing(name, schema) for name, schema in sorted(self._document["components"]["schemas"].items())]

    def _operation(self, path: str, method: str, item: Mapping[str, Any]) -> Operation:
        said = item[method]
        given = [self._shared(one) for one in (*item.get("parameters", ()), *said.get("parameters", ()))]
        answers = list(self._answers(said["responses"]))
        return Operation(
            id=said["operationId"],
            method=method.upper(),
            path=path,
            summary=said["summary"],
            about=markdown(said.get("description", "")),
            needs_token=said.get("security") == [{"token": []}],
            parameters=tuple(_parameter(one) for one in given if one["in"] == "query"),
            body=fields(said.get("requestBody", {}).get("content", {}).get(_JSON, {}).get("schema", {})),
            answers=tuple(one for one in answers if one.status < "4"),
            errors=tuple(one for one in answers if one.status >= "4"),
        )

    def _answers(self, responses: Mapping[str, Any]) -> Iterator[Answer]:
        for status, answer in sorted(responses.items()):
            said = self._shared(answer)
            types = [
                kind(content["schema"]) if type == _JSON else Markup("<code>{}</code>").format(type)
                for type, content in said.get("content", {}).items()
            ]
            yield Answer(status, _line(said["description"]), Markup(", ").join(types))

    def _thing(self, name: str, schema: Mapping[str, Any]) -> Thing:
        examples = schema.get("examples", ()) if schema.get("type") == "object" else ()
        shown = json.dumps(examples[0], indent=2, ensure_ascii=False) if examples else ""
        return Thing(name, kind(schema), markdown(schema.get("description", "")), fields(schema), shown)

    def _shared(self, item: Mapping[str, Any]) -> Mapping[str, Any]:
        if "$ref" not in item:
            return item
        found: Any = self._document
        for part in item["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return self._shared(found)


def _parameter(said: Mapping[str, Any]) -> Field:
    required = bool(said.get("required", False))
    return Field(said["name"], kind(said["schema"]), _line(said["description"]), required)


def fields(schema: Mapping[str, Any]) -> tuple[Field, ...]:
    """The properties of an object."""
    required = schema.get("required", ())
    return tuple(
        Field(name, kind(one), _line(one.get("description", "")), name in required)
        for name, one in schema.get("properties", {}).items()
    )


def kind(schema: Mapping[str, Any]) -> Markup:
    """What a value is, in words, with links to the schemas that have a name."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return Markup('<a href="#{0}">{0}</a>').format(name)
    if "anyOf" in schema:
        return Markup(" or ").join(kind(one) for one in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        words = schema.get("enum") or [schema["const"]]
        return Markup(", ").join(Markup("<code>{}</code>").format(json.dumps(word).strip('"')) for word in words)
    types = schema.get("type", "string")
    return Markup(" or ").join(_one(one, schema) for one in (types if isinstance(types, list) else [types]))


def _one(type: str, schema: Mapping[str, Any]) -> Markup:
    if type == "array":
        return Markup("list of ") + kind(schema["items"])
    inner = schema.get("properties", {}) if type == "object" else {}
    if not inner:
        return Markup("{}").format(_WORDS[type])
    parts = (Markup("<code>{}</code> ({})").format(name, kind(one)) for name, one in inner.items())
    return Markup("object: ") + Markup(", ").join(parts)


def markdown(text: str) -> Markup:
    """A description as HTML."""
    return Markup(render_markdown(text, link=str, image=str))  # noqa: S704 - it is sanitised


def _line(text: str) -> Markup:
    """A description of one paragraph, as it stands in a table."""
    found = markdown(text).strip()
    return found.removeprefix("<p>").removesuffix("</p>") if found.count("<p>") == 1 else found
