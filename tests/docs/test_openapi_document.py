"""The OpenAPI document speaks of what is there: every route of the API, and every word in answers of the hub's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

from glasshub import acts, errors, jobs
from glasshub.app import create_app
from glasshub.evals.alignment import Alignment
from glasshub.events import EventType
from glasshub.exports.formats import FORMATS
from glasshub.exports.records import COLUMNS
from glasshub.index.queries.inbox import _REASONS
from glasshub.registry import jobs as job_rows
from glasshub.registry import runners
from glasshub.verify.logs.report import Outcome
from glasshub.verify.record import Kind
from glasshub.verify.states import State
from glasshub.web.errors import STATUS
from glasshub.web.openapi.document import document
from tests.docs.test_docs import paths

DOCUMENT = document("http://127.0.0.1:8000", "Glasshub")
SCHEMAS = DOCUMENT["components"]["schemas"]
OURS = re.compile(r"/(?:api|feeds|\.well-known)/")
# What stock clients ask for and this hub does not have.
NOT_HERE = {
    "api_absent.no_repos",
    "api_absent.nobody",
    "api_fallback.nothing",
    "api_info.without_namespace",
}


def spelled_out(path: str) -> set[str]:
    """The paths that a path of the document stands for: one for each word of its parameters, others nameless."""
    for name in re.findall(r"{(\w+)}", path):
        words = DOCUMENT["components"]["parameters"][name]["schema"].get("enum")
        if words:
            return set().union(*(spelled_out(path.replace(f"{{{name}}}", word)) for word in words))
    return {re.sub(r"{[^{}]+}", "{}", path)}


def test_every_route_of_the_api_is_described_and_nothing_else(hub):
    served = set()
    for rule in create_app(hub).url_map.iter_rules():
        if OURS.match(rule.rule) and rule.endpoint not in NOT_HERE:
            methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
            served |= {f"{method} {path}" for method in methods for path in paths(rule.rule)}
    described = {
        f"{method.upper()} {spelled}"
        for path, item in DOCUMENT["paths"].items()
        for spelled in spelled_out(path)
        for method in item
        if method != "parameters"
    }
    assert sorted(served - described) == [], "describe them in plugin/glasshub/web/openapi"
    assert sorted(described - served) == []


def words(schema: str, *places: str) -> set[str]:
    """The words that a property (of a property ...) of a schema may have."""
    found = SCHEMAS[schema]
    for place in places:
        found = found["properties"][place]
    return set(found["enum"])


def test_words_are_those_of_the_code():
    assert words("Result", "state") == {state.value for state in Alignment}
    assert words("Verification", "state") == set(State)
    assert words("AuditCheck", "outcome") == set(Outcome)
    assert words("HistoryAct", "action") == set(get_args(acts.Action))
    assert words("HistoryChange", "change") - {None} == set(get_args(acts.Kind)) - {""}
    assert words("JobState") == set(jobs.STATES)
    assert words("Attempt", "state") == set(get_args(job_rows.RunState))
    assert words("Runner", "state") == set(get_args(runners.State))
    assert words("RunAct", "kind") == set(Kind)
    assert words("Thread", "reason") == set(_REASONS)
    assert words("Thread", "event", "type") == set(EventType)
    assert set(DOCUMENT["components"]["parameters"]["format"]["schema"]["enum"]) == set(FORMATS)


def test_columns_of_exports_are_those_of_the_code():
    kinds = {"whole": "integer", "number": "number", "truth": "boolean", "text": "string", "json": "object"}
    properties = SCHEMAS["ExportRecord"]["properties"]
    assert list(properties) == [column.name for column in COLUMNS]
    for column in COLUMNS:
        found = properties[column.name]
        found = SCHEMAS[found["$ref"].rpartition("/")[2]] if "$ref" in found else found
        type = found["type"]
        assert [kind for kind in (type if isinstance(type, list) else [type]) if kind != "null"] == [kinds[column.kind]]


def family(kind: type[errors.GlasshubError]) -> Iterator[type[errors.GlasshubError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from family(child)


def test_errors_are_those_of_the_code():
    codes = {kind.code for kind in family(errors.GlasshubError)}
    assert set(DOCUMENT["components"]["headers"]["ErrorCode"]["schema"]["examples"]) == codes
    answers = DOCUMENT["components"]["responses"]
    for item in DOCUMENT["paths"].values():
        for method, operation in item.items():
            for status, answer in operation["responses"].items() if method != "parameters" else ():
                if "$ref" in answer and int(status) >= 400:
                    named = set(re.findall(r"`(\w+)`", answers[answer["$ref"].rpartition("/")[2]]["description"]))
                    assert named <= {code for code in codes if int(status) in statuses(code)}, answer


def statuses(code: str) -> set[int]:
    kinds = [kind for kind in family(errors.GlasshubError) if kind.code == code]
    return {next(STATUS[parent] for parent in kind.__mro__ if parent in STATUS) for kind in kinds}


def nothings(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where ``null`` stands: in YAML often half of a sentence that has a comma."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        if value is None:
            yield (*path, str(key))
        yield from nothings(value, (*path, str(key)))


def test_no_sentence_is_cut_at_its_comma():
    assert [path for path in nothings(DOCUMENT) if not {"examples", "enum"} & set(path)] == []


def test_all_that_is_shared_is_used():
    text = str(DOCUMENT["paths"]) + str(DOCUMENT["components"])
    for kind in ("schemas", "parameters", "responses", "headers"):
        for name in set(DOCUMENT["components"][kind]) - {"ExportRecord"}:  # no schema can say what a line is
            assert f"#/components/{kind}/{name}'" in text, f"{kind}/{name}"
