"""Cards: README.md -> metadata and safe HTML. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from glasshub.evals.problems import Problem


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
    raise NotImplementedError


def render_markdown(text: str, *, link: Callable[[str], str], image: Callable[[str], str]) -> str:
    """Markdown to sanitised HTML (nh3 is always the last step).

    Args:
        text: Markdown with tables, task lists, footnotes, math (kept as text in ``<code class="math">``).
        link: maps a relative link target in the repo to an address on the hub.
        image: maps a relative image target to an address on the hub.
    """
    raise NotImplementedError
