"""What is known of a model from its files: plain values that the index keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Header:
    """What the header of one weight file says.

    Attributes:
        path: the file on ``main``.
        blob: its git blob, by which the same file is known again.
        size: how long the header is, in bytes.
        parameters: parameters per data type.
        metadata: architecture and such, where the format tells.
        fault: why it cannot be read (``""`` when it can).
    """

    path: str
    blob: str
    size: int = 0
    parameters: Mapping[str, int] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    fault: str = ""

    @property
    def known_as(self) -> str:
        """By what it is known again (see :func:`known_as`)."""
        return known_as(self.path, self.blob)


def known_as(path: str, blob: str) -> str:
    """By what the same file is known again: its blob, and the format that its name claims."""
    return f"{path.rpartition('.')[2]}:{blob}"


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known of a whole model.

    Attributes:
        parameters: parameters per data type, from its safetensors files.
        total: all parameters, from those or a GGUF file; ``None`` when nobody knows.
        gguf: ``total``, ``architecture`` and ``context_length`` of its GGUF file.
        config: what of its configuration clients are told.
    """

    parameters: Mapping[str, int] = field(default_factory=dict)
    total: int | None = None
    gguf: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """All that a model's files tell: the facts, the headers they come from, and what can be concluded.

    Attributes:
        facts: what is known.
        headers: the weight files that count, with what their headers say.
        names: the files at the root of ``main``.
    """

    facts: ModelFacts = ModelFacts()
    headers: tuple[Header, ...] = ()
    names: frozenset[str] = frozenset()
