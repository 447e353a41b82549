"""The docs speak of what is there: every setting, command, option and route, and examples that hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest

from glasshub.app import create_app
from glasshub.cli import cli
from glasshub.config import Settings
from glasshub.evals.eval_results import parse_result_file
from glasshub.evals.eval_yaml import parse_eval_yaml

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.glob("*.md"))]
START = "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/glasshub demo"
TEST = "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/pytest"


def fenced(text: str) -> list[str]:
    """The contents of fenced blocks."""
    return re.findall(r"^```[a-z]*\n(.*?)^```", text, re.M | re.S)


def test_readme_has_exactly_the_two_set_up_commands():
    blocks = fenced((ROOT / "README.md").read_text("utf-8"))
    assert [block.strip() for block in blocks if "-m venv" in block or "pip install" in block] == [START, TEST]


def test_ci_calls_the_test_command_of_the_readme():
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert TEST in script
    assert "GLASSHUB_REQUIRE=all" in script


def test_every_setting_is_described():
    text = (DOCS / "settings.md").read_text("utf-8")
    rows = {cells[1].strip(" `"): cells for line in text.splitlines() if (cells := line.split("|"))[0] == "" != line}
    for field in fields(Settings):
        if field.name == "data":
            continue
        _, _, env, default, meaning, _ = rows[field.name]
        assert env.strip() == f"`GLASSHUB_{field.name.upper()}`"
        value = str(field.default).lower() if isinstance(field.default, bool) else field.default
        shown = "empty" if value == "" else f"`{value}`"
        assert default.strip() == shown, field.name
        assert len(meaning.strip()) > 20


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Every command below ``command`` with the words that call it."""
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from commands(child, (*path, name))
    else:
        yield " ".join(path), command


def section(text: str, title: str) -> str:
    """The part of ``text`` below the heading ``title``, up to the next heading."""
    found = re.search(rf"^#+ `?{re.escape(title)}\b.*?$(.*?)(?=^#|\Z)", text, re.M | re.S)
    assert found, f"docs/cli.md has no section {title!r}"
    return found[0]


def test_every_command_and_option_is_described():
    text = (DOCS / "cli.md").read_text("utf-8")
    for path, command in commands(cli):
        described = section(text, f"glasshub {path}")
        for parameter in command.params:
            for option in parameter.opts if isinstance(parameter, click.Option) else ():
                assert f"`{option}" in described, f"docs/cli.md: {option} of {path}"
    for parameter in cli.params:
        for option in parameter.opts:
            assert f"`{option}" in text, option


def test_cli_docs_describe_only_what_exists():
    titles = re.findall(
        r"^## `glasshub ([a-z]+(?:[ -][a-z]+)*)(?: [A-Z\[-].*)?`$", (DOCS / "cli.md").read_text("utf-8"), re.M
    )
    assert sorted(titles) == sorted(path for path, _ in commands(cli))


def spelled_out(route: str) -> set[str]:
    """The routes that one line of docs/api.md stands for, with nameless parameters.

    ``[datasets/]`` may be there or not, ``{kind}`` is models or datasets, and ``{revision}/{path}`` is what
    one route takes as a whole.
    """
    routes = {route.replace("{revision}/{path}", "{rest}")}
    routes = {r.replace("[datasets/]", part) for r in routes for part in ("", "datasets/")}
    routes = {r.replace("{kind}", part) for r in routes for part in ("models", "datasets")}
    return {re.sub(r"\{[^{}]+\}", "{}", r) for r in routes}


def paths(rule: str) -> set[str]:
    """A rule of the URL map with one path for each word of ``<any(...)>`` and nameless parameters."""
    found = re.search(r"<any\(([^()]*)\):[^<>]+>", rule)
    if found:
        return set().union(*(paths(rule.replace(found[0], word.strip(" '\""), 1)) for word in found[1].split(",")))
    return {re.sub(r"<[^<>]+>", "{}", rule)}


def test_every_route_is_described(hub):
    text = (DOCS / "api.md").read_text("utf-8")
    lines = re.findall(r"`((?:GET|POST|PUT|DELETE|PATCH) /[^`\s]*)`", text)
    described = set().union(*(spelled_out(line) for line in lines))
    served = set()
    for rule in create_app(hub).url_map.iter_rules():
        for path in paths(rule.rule):
            served |= {f"{method} {path}" for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    assert sorted(served - described) == []
    assert sorted(described - served) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_table_is_whole(page):
    """A blank line within a table leaves rows without a head, which are shown as text full of bars."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S)
    for table in re.findall(r"(?:^\|.*\n?)+", text, re.M):
        assert re.fullmatch(r"\|( *:?-+:? *\|)+", [*table.splitlines(), ""][1]), f"{page.name}: {table[:100]}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:", target):
            assert (page.parent / target.split("#")[0]).exists(), f"{page.name}: {target}"


def test_every_page_can_be_reached_from_the_readme():
    text = (ROOT / "README.md").read_text("utf-8")
    assert [page.name for page in DOCS.glob("*.md") if f"docs/{page.name}" not in text] == []


def examples() -> Iterator[str]:
    for page in PAGES:
        for block in fenced(page.read_text("utf-8")):
            yield from re.findall(r"<<'END'\n(.*?)^END$", block, re.M | re.S) or [block]


def test_example_files_are_valid():
    found = list(examples())
    benchmarks = [text for text in found if "evaluation_framework:" in text and text.startswith("name:")]
    results = [text for text in found if text.startswith("- dataset:")]
    assert len(benchmarks) >= 2
    assert len(results) >= 2
    for text in benchmarks:
        assert parse_eval_yaml(text.encode()).problems == ()
    for text in results:
        parsed = parse_result_file(text.encode(), ".eval_results/example.yaml")
        assert parsed.problems == ()
        assert parsed.entries


def test_the_architecture_names_every_module_at_the_top():
    table = (DOCS / "architecture.md").read_text("utf-8").split("## Layers")[1].split("## Names")[0]
    source = ROOT / "plugin" / "glasshub"
    modules = {path.stem for path in source.glob("*.py") if not path.stem.startswith("__")}
    packages = {f"{path.parent.name}/" for path in source.glob("*/__init__.py") if path.parent.name != "templates"}
    assert sorted((modules | packages) - set(re.findall(r"`([a-z_/]+)`", table))) == []
