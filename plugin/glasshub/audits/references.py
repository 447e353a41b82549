"""Which log a result names: a file of its own repo (``extra.log``), or a file of this hub (``source.url``). Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from glasshub.identity import RepoType
from glasshub.index.rows import ResultRow
from glasshub.verify.digests import sha256

RULES = 1  # raise it when audits judge otherwise than before: everything is then audited again
ENDINGS = (".eval", ".json")
MOST_CHARACTERS = 1_000
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_FILE = re.compile(r"/(datasets/)?([^/]+)/([^/]+)/(?:resolve|blob|raw)/(.+)")


@dataclass(frozen=True, slots=True)
class Said:
    """What a result says, as far as its log is concerned: an audit is of this, and of nothing else.

    Attributes:
        model: the key of its repo.
        result: its id.
        commit: the commit that last changed its file.
        log: the path of the log in that repo, or its address.
        dataset: the key of the benchmark (``""``: none on this hub).
        task: the task's id.
        revision: the commit of the benchmark that the result names (``""``: none).
        value: the value as written.
    """

    model: str
    result: str
    commit: str
    log: str
    dataset: str
    task: str
    revision: str
    value: str

    @property
    def place(self) -> str:
        """A name for exactly this, under the present rules."""
        return sha256(json.dumps([RULES, asdict(self)], sort_keys=True).encode())

    def to_json(self) -> str:
        """As text, for :meth:`from_json`."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Said:
        """The other way round."""
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of this hub: ``rest`` is ``<revision>/<path>``."""

    type: RepoType
    namespace: str
    name: str
    rest: str


def said_of(result: ResultRow, public_url: str) -> Said | None:
    """What a result says about a log; ``None`` when it names none."""
    log = log_named(result.extra, result.source_url, public_url)
    if not log:
        return None
    return Said(
        result.model_key, result.id, result.commit, log, result.dataset_key, result.task_id, result.dataset_revision,
        result.value_text,
    )  # fmt: skip


def log_named(extra: Mapping[str, Any], source_url: str, public_url: str) -> str:
    """The path or the address of the log that a result names (``""``: none).

    Args:
        extra: the result's own.
        source_url: its source's address.
        public_url: the hub's address; without one, addresses of this machine are taken as the hub's.
    """
    said = extra.get("log")
    if isinstance(said, str) and said.strip():
        return said.strip()[:MOST_CHARACTERS].encode("utf-8", "replace").decode("utf-8")
    return source_url if file_of(source_url, public_url) is not None else ""


def file_of(address: str, public_url: str) -> HubFile | None:
    """The file of this hub that an address leads to, if it may be a log; ``None`` when it is something else."""
    if not address.endswith(ENDINGS) or len(address) > MOST_CHARACTERS:
        return None  # most addresses are: a page may have thousands
    if not address.startswith(("http://", "https://")):
        return None
    if public_url:
        if not address.startswith(f"{public_url}/"):
            return None
        place = address[len(public_url) :]
    else:
        parts = _split(address)
        if parts is None or parts.hostname not in _LOOPBACK:
            return None
        place = parts.path
    found = _FILE.fullmatch(place)
    if found is None:
        return None
    return HubFile("dataset" if found[1] else "model", found[2], found[3], unquote(found[4]))


def _split(address: str) -> SplitResult | None:
    try:
        return urlsplit(address)
    except ValueError:
        return None
