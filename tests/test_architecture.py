"""The layers stay apart, and modules and functions stay small: read from the source itself."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "plugin" / "glasshub"
MODULES = sorted(path for path in SOURCE.rglob("*.py") if "sample_repos" not in path.parts)
WEB = {"flask", "flask_wtf", "flask_limiter", "werkzeug", "jinja2"}
SQL = {"sqlite3", "sqlite_utils", "sqlalchemy"}
PURE = WEB | SQL | {"dulwich"}
# package or module (relative to glasshub) -> what it may not import
FORBIDDEN = {
    "evals": PURE,
    "cards": PURE,
    "access": PURE,
    "errors": PURE,
    "identity": PURE,
    "events": PURE,
    "verify": PURE,
    "runner": PURE,
    "conversation": PURE,
    "acts": PURE,
    "provenance": PURE,
    "lineage": PURE,
    "blobs": PURE,
    "weights": PURE,
    "git": WEB | SQL,
    "index": WEB | {"dulwich"},
    "registry": WEB | {"dulwich"},
    "notices": WEB | {"dulwich"},
    "web": {"sqlite3", "sqlite_utils", "glasshub.index.db", "glasshub.registry"},
}
MAY_IMPORT_WEB = {"app", "cli", "serve", "demo", "web"}
VAGUE = ("manager", "helper", "utils", "core", "misc", "common")


def unit(path: Path) -> str:
    """The package or module below ``glasshub`` that ``path`` belongs to (``cli`` and ``cli_repo`` are both ``cli``)."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py").split("_")[0]


def imports(path: Path) -> Iterator[str]:
    """Dotted names that a module imports, and the names taken from a package (``a.b`` for ``from a import b``)."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: use absolute imports"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_layers_import_only_what_they_may(path):
    for name in imports(path):
        for package in FORBIDDEN.get(unit(path), ()):
            assert not is_within(name, package), f"{path.name} imports {name}"
        if is_within(name, "glasshub.web"):
            assert unit(path) in MAY_IMPORT_WEB, f"{path.name} imports {name}"


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Name and length in lines of every function, without its docstring and decorators."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            start = node.lineno
            if ast.get_docstring(node) is not None:
                start += (node.body[0].end_lineno or 0) - node.body[0].lineno + 1
            yield f"{path.relative_to(SOURCE)}:{node.lineno} {node.name}", (node.end_lineno or 0) - start + 1


def test_modules_are_small():
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in MODULES}
    assert {path: length for path, length in lengths.items() if length > 600} == {}
    assert statistics.median(lengths.values()) <= 150


def test_functions_are_small():
    lengths = dict(item for path in MODULES for item in functions(path))
    assert {name: length for name, length in lengths.items() if length > 80} == {}
    assert statistics.median(lengths.values()) <= 12


def test_names_say_what_a_module_is_about():
    assert [path for path in MODULES if any(word in path.stem for word in VAGUE)] == []


def public(path: Path) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node


def test_public_things_are_described_and_annotated():
    bare = []
    for path in MODULES:
        for node in public(path):
            annotated = isinstance(node, ast.ClassDef) or node.returns is not None
            if ast.get_docstring(node) is None or not annotated:
                bare.append(f"{path.relative_to(SOURCE)}:{node.lineno} {node.name}")
    assert bare == []
