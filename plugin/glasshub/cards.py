"""Cards: README.md -> metadata. Pure; :mod:`glasshub.markdown` makes the HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from glasshub.evals import yaml_nodes
from glasshub.evals.problems import Problem
from glasshub.evals.yaml_nodes import Problems, to_python
from glasshub.markdown import plain_text, render_markdown

__all__ = ["Card", "parse_card", "render_markdown"]

MAX_FRONT_MATTER = 128 * 1024
_FRONT_MATTER = re.compile(r"\A(?:\ufeff)?---[ \t]*\r?\n(.*?)^---[ \t]*\r?$\n?", re.DOTALL | re.MULTILINE)
_TITLE = re.compile(r"^#[ \t]+(.+)$", re.MULTILINE)
_EXCERPT = 280


@dataclass(frozen=True, slots=True)
class Card:
    """The metadata of a card. ``front_matter`` is JSON-serialisable; ``body`` is the Markdown after it.

    ``tags`` are the hub's tags derived from it (``license:mit``, ``language:en``, ``dataset:x``,
    ``base_model:x``, ``pipeline_tag``, ``library_name`` and free tags), sorted and unique.
    """

    front_matter: Mapping[str, Any] = field(default_factory=dict)
    body: str = ""
    title: str = ""
    excerpt: str = ""
    license: str = ""
    pipeline_tag: str = ""
    library_name: str = ""
    languages: tuple[str, ...] = ()
    base_models: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    configs: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def parse_card(data: bytes, *, path: str = "README.md") -> Card:
    """Read an untrusted README: front matter (same safe YAML rules as results) and body. Never raises on bad input."""
    text = data.decode("utf-8", "replace")
    problems = Problems(path)
    found = _FRONT_MATTER.match(text)
    body = text[found.end() :] if found else text
    meta = _front_matter(found, problems) if found else {}
    title = _first(meta.get("pretty_name")) or _title(body)
    languages = _texts(meta.get("language")) or _texts(meta.get("languages"))
    configs = _configs(meta.get("configs"))
    return Card(
        front_matter=meta,
        body=body,
        title=title[:200],
        excerpt=_excerpt(body),
        license=_first(meta.get("license")),
        pipeline_tag=_first(meta.get("pipeline_tag")),
        library_name=_first(meta.get("library_name")),
        languages=languages,
        base_models=_texts(meta.get("base_model")),
        datasets=_texts(meta.get("datasets")),
        configs=configs,
        tags=_tags(meta, languages),
        problems=problems.all(),
    )


def _front_matter(found: re.Match[str], problems: Problems) -> Mapping[str, Any]:
    raw = found[1].encode("utf-8")
    inner = Problems(problems.path)
    root = yaml_nodes.compose(raw, inner, max_bytes=MAX_FRONT_MATTER)
    for problem in inner.all():  # the front matter begins on line 2 of the file
        problems.error_at(problem.line + 1, problem.column, problem.message)
    if root is not None and not isinstance(root, yaml_nodes.Mapping):
        problems.error_at(2, 1, "The front matter must be a mapping of names to values, such as license: mit.")
        return {}
    plain = to_python(root)
    return plain if isinstance(plain, dict) else {}


def _tags(meta: Mapping[str, Any], languages: tuple[str, ...]) -> tuple[str, ...]:
    """Tags as the public hub derives them: plain for free tags, ``kind:value`` for the rest."""
    tags = set(_texts(meta.get("tags")))
    tags |= {f"language:{language}" for language in languages} | set(languages)
    for key, prefix in (
        ("license", "license:"),
        ("datasets", "dataset:"),
        ("base_model", "base_model:"),
        ("task_categories", "task_categories:"),
        ("task_ids", "task_ids:"),
        ("size_categories", "size_categories:"),
        ("multilinguality", "multilinguality:"),
        ("pipeline_tag", ""),
        ("library_name", ""),
    ):
        tags |= {f"{prefix}{value}" for value in _texts(meta.get(key))}
    # What the hub itself grants cannot be claimed in a card.
    return tuple(sorted(tag for tag in tags if not tag.startswith("benchmark:")))


def _configs(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list) else []
    return tuple(str(item["config_name"]) for item in items if isinstance(item, dict) and item.get("config_name"))


def _texts(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    texts = (str(item).strip() for item in items if isinstance(item, str | int | float) and not isinstance(item, bool))
    return tuple(text for text in texts if text and len(text) <= 200)[:100]


def _first(value: object) -> str:
    return next(iter(_texts(value)), "")


def _title(body: str) -> str:
    found = _TITLE.search(body[:10_000])
    return plain_text(found[1].rstrip().rstrip("#")) if found else ""


def _excerpt(body: str) -> str:
    """The first paragraph that is prose, as plain text."""
    for block in re.split(r"\n[ \t]*\r?\n", body[:20_000]):
        block = block.strip()
        if block and not re.match(r"[#<|>!\[`~=-]|\d+\.|\*[ \t]", block):
            text = " ".join(plain_text(block).split())
            return text if len(text) <= _EXCERPT else text[: _EXCERPT - 1].rsplit(" ", 1)[0] + "…"
    return ""
