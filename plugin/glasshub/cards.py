"""Cards: README.md -> metadata. Pure; :mod:`glasshub.markdown` makes the HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from glasshub.evals import model_index, yaml_nodes
from glasshub.evals.model_index import Claim, ModelIndex
from glasshub.evals.problems import Problem
from glasshub.evals.yaml_nodes import Problems, to_python
from glasshub.markdown import plain_text, render_markdown

__all__ = ["Card", "parse_card", "render_markdown"]

MAX_FRONT_MATTER = 128 * 1024
_FRONT_MATTER = re.compile(r"\A(?:\ufeff)?---[ \t]*\r?\n(.*?)^---[ \t]*\r?$\n?", re.DOTALL | re.MULTILINE)
_TITLE = re.compile(r"^#[ \t]+(.+)$", re.MULTILINE)
_EXCERPT = 280
# Stock clients hand the front matter to a function as its arguments: these names would break them.
_RESERVED = ("self", "ignore_metadata_errors")


@dataclass(frozen=True, slots=True)
class Card:
    """The metadata of a card. ``front_matter`` is JSON-serialisable; ``body`` is the Markdown after it.

    ``tags`` are the hub's tags derived from it (``license:mit``, ``language:en``, ``dataset:x``,
    ``base_model:x``, ``pipeline_tag``, ``library_name`` and free tags), sorted and unique.
    ``claims`` are the scores of its ``model-index``, with lines of the file.
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
    claims: tuple[Claim, ...] = ()
    problems: tuple[Problem, ...] = ()


def parse_card(data: bytes, *, path: str = "README.md") -> Card:
    """Read an untrusted README: front matter (same safe YAML rules as results) and body. Never raises on bad input."""
    text = data.decode("utf-8", "replace")
    problems = Problems(path)
    found = _FRONT_MATTER.match(text)
    body = text[found.end() :] if found else text
    meta, claims = _front_matter(found, problems) if found else ({}, ())
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
        claims=claims,
        problems=problems.all(),
    )


def _front_matter(found: re.Match[str], problems: Problems) -> tuple[Mapping[str, Any], tuple[Claim, ...]]:
    raw = found[1].encode("utf-8")
    inner = Problems(problems.path)
    root = yaml_nodes.compose(raw, inner, max_bytes=MAX_FRONT_MATTER)
    if root is not None and not isinstance(root, yaml_nodes.Mapping):
        inner.error_at(1, 1, "The front matter must be a mapping of names to values, such as license: mit.")
    mapping = root if isinstance(root, yaml_nodes.Mapping) else yaml_nodes.Mapping(1, 1)
    index = _model_index(mapping, inner)
    plain = _readable(mapping, index, inner)
    for problem in inner.all():  # the front matter begins on line 2 of the file
        problems.add(replace(problem, line=problem.line + 1))
    return plain, tuple(replace(claim, line=claim.line + 1) for claim in index.claims)


def _model_index(root: yaml_nodes.Mapping, problems: Problems) -> ModelIndex:
    node = root.get(model_index.KEY)
    if node is None or to_python(node) is None:
        return ModelIndex()
    return model_index.parse_model_index(node, problems)


def _readable(root: yaml_nodes.Mapping, index: ModelIndex, problems: Problems) -> Mapping[str, Any]:
    """The front matter as plain values, without what stock clients cannot read."""
    plain = to_python(root)
    found: dict[str, Any] = dict(plain) if isinstance(plain, dict) else {}
    found.pop(model_index.KEY, None)
    if index.plain:
        found[model_index.KEY] = list(index.plain)
    for key in _RESERVED:
        if key in found:
            del found[key]
            problems.warn(root.at(key), f"The key {key} is left out: clients cannot read it. Rename it.")
    if not isinstance(found.get("tags"), list | str | None):
        del found["tags"]
        problems.warn(root.at("tags"), "tags must be a list of texts. They are left out.")
    return found


def _tags(meta: Mapping[str, Any], languages: tuple[str, ...]) -> tuple[str, ...]:
    """Tags as the public hub derives them: plain for free tags, ``kind:value`` for the rest."""
    # How models build on each other is said by base_model alone.
    tags = {tag for tag in _texts(meta.get("tags")) if not tag.startswith("base_model:")}
    tags |= {f"language:{language}" for language in languages} | set(languages)
    for key, prefix in (
        ("license", "license:"),
        ("datasets", "dataset:"),
        ("base_model", "base_model:"),
        ("task_categories", "task_categories:"),
        ("task_ids", "task_ids:"),
        ("size_categories", "size_categories:"),
        ("multilinguality", "multilinguality:"),
        ("language_creators", "language_creators:"),
        ("annotations_creators", "annotations_creators:"),
        ("source_datasets", "source_datasets:"),
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
