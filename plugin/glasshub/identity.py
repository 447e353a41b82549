"""Who acts and on what: plain values that every layer shares, free of storage and HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType
from typing import Literal

RepoType = Literal["model", "dataset"]
Gate = Literal["", "auto", "manual"]
"""Who gets at the files of a repo: everybody who may read it, whoever asks, or whoever is let in."""
GATES: tuple[Gate, ...] = ("", "auto", "manual")
REPO_TYPES: tuple[RepoType, ...] = ("model", "dataset")


class Role(IntEnum):
    """A member's role in a namespace; comparison means "at least"."""

    NONE = 0
    READ = 1
    CONTRIBUTOR = 2
    WRITE = 3
    ADMIN = 4

    @property
    def label(self) -> str:
        """The name people type: ``read``, ``contributor``, ``write``, ``admin``."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Account:
    """A user or an organisation: whatever may own repos. Names are unique without regard to case."""

    name: str
    kind: Literal["user", "org"]
    full_name: str
    created_at: str
    is_admin: bool = False
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Repo:
    """One repo as the registry knows it.

    ``key`` is 24 lower-case hex digits, made at creation, never changed: it names the folder on disk
    and is the ``_id`` of the API. ``namespace`` and ``name`` may change; old names redirect.
    """

    key: str
    type: RepoType
    namespace: str
    name: str
    private: bool
    created_at: str
    creator: str
    allow_force_push: bool = False
    pulls_enabled: bool = True
    gated: Gate = ""

    @property
    def repo_id(self) -> str:
        """``namespace/name``, as clients write it."""
        return f"{self.namespace}/{self.name}"

    @property
    def path(self) -> str:
        """The path of its page, below the hub's address: ``/ns/name`` or ``/datasets/ns/name``."""
        return f"/{self.repo_id}" if self.type == "model" else f"/datasets/{self.repo_id}"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is asking, with everything that the access rules need to answer.

    ``roles`` maps lower-cased namespaces to roles (a user is ADMIN of their own). ``scope`` is the
    token's; sessions have ``write``. ``only_repos`` (repo keys) limits a token to some repos.
    """

    name: str | None = None
    roles: Mapping[str, Role] = field(default_factory=lambda: MappingProxyType({}))
    is_hub_admin: bool = False
    scope: Literal["read", "write"] = "read"
    only_repos: frozenset[str] | None = None

    @property
    def signed_in(self) -> bool:
        """Whether this is a known account rather than an anonymous reader."""
        return self.name is not None


ANONYMOUS = Actor()
