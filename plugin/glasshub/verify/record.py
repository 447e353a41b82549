"""The public list of runs: one line per act, each with the digest of the line before, so that none can be taken out.

A line is canonical JSON (RFC 8785). What names a private repo is not in it: ``details_sha256`` commits to it all the
same, since the details hold a random id. docs/verification.md describes the members.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import rfc8785

from glasshub.errors import Invalid

KEYS_PATH = "keys.json"
FOLDER = "runs"
START = "0" * 64  # what the first line has for the digest of the line before
_REQUIRED = frozenset({"seq", "time", "prev", "kind", "run", "runner", "details_sha256"})


class Kind(StrEnum):
    """What a line tells of. Values stand in git for ever: add some, change none."""

    ISSUED = "issued"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    Attributes:
        seq: its number, from 1 on.
        time: when the hub wrote it, by the hub's clock.
        prev: the SHA-256 of the line before, without its line feed.
        kind: what happened.
        run: which run (the ``jti`` of its token).
        runner: whose run it was.
        details_sha256: the SHA-256 of the details as canonical JSON.
        token_sha256: of an issued run, the SHA-256 of its token.
        details: what happened, ``None`` where it names something private.
    """

    seq: int
    time: str
    prev: str
    kind: Kind
    run: str
    runner: str
    details_sha256: str
    token_sha256: str = ""
    details: Mapping[str, Any] | None = None

    def to_bytes(self) -> bytes:
        """The line as it stands in the file, without its line feed."""
        said: dict[str, Any] = {
            "seq": self.seq, "time": self.time, "prev": self.prev, "kind": self.kind.value, "run": self.run,
            "runner": self.runner, "details_sha256": self.details_sha256,
        }  # fmt: skip
        if self.token_sha256:
            said["token_sha256"] = self.token_sha256
        if self.details is not None:
            said["details"] = dict(self.details)
        return rfc8785.dumps(said)

    @property
    def digest(self) -> str:
        """What the next line names as ``prev``."""
        return hashlib.sha256(self.to_bytes()).hexdigest()


def path_of(time: str) -> str:
    """The file for lines of that time: one per month, ``runs/2026-11.jsonl``."""
    return f"{FOLDER}/{time[:7]}.jsonl"


def is_runs_path(path: str) -> bool:
    """Whether a file of the record holds lines."""
    return path.startswith(f"{FOLDER}/") and path.endswith(".jsonl")


def digest_of(details: Mapping[str, Any]) -> str:
    """What commits a line to its details."""
    return hashlib.sha256(rfc8785.dumps(dict(details))).hexdigest()


def parse(data: bytes) -> list[Line]:
    """The lines of a file.

    Raises:
        Invalid: a line is not as it must be.
    """
    return [_line(number, text) for number, text in enumerate(data.splitlines(), start=1) if text]


def faults(lines: Iterable[Line]) -> list[str]:
    """What is wrong with the chain: gaps, digests that do not fit, details that are not what was committed to."""
    found: list[str] = []
    before: Line | None = None
    for line in lines:
        seq, prev = (before.seq + 1, before.digest) if before else (1, START)
        if line.seq != seq:
            found.append(f"line {line.seq} follows line {seq - 1}")
        if line.prev != prev:
            found.append(f"line {line.seq} does not carry the digest of the line before: something was changed")
        if line.details is not None and digest_of(line.details) != line.details_sha256:
            found.append(f"the details of line {line.seq} are not those it was written with")
        before = line
    return found


def issued(lines: Sequence[Line]) -> dict[str, str]:
    """The digests of all tokens that were issued: to the reason for which the run was revoked, ``""`` if it was not."""
    revoked = {
        line.run: str((line.details or {}).get("reason") or "no reason given")
        for line in lines
        if line.kind is Kind.REVOKED
    }
    return {line.token_sha256: revoked.get(line.run, "") for line in lines if line.kind is Kind.ISSUED}


def _line(number: int, text: bytes) -> Line:
    try:
        said = json.loads(text)
        if not isinstance(said, dict) or not said.keys() >= _REQUIRED:
            raise ValueError("a member is missing")
        line = Line(
            said["seq"], said["time"], said["prev"], Kind(said["kind"]), said["run"], said["runner"],
            said["details_sha256"], said.get("token_sha256", ""), said.get("details"),
        )  # fmt: skip
        if line.to_bytes() != text:
            raise ValueError("it is not canonical, or holds more than is known")
    except (ValueError, TypeError, rfc8785.CanonicalizationError, RecursionError) as error:
        raise Invalid(f"Line {number} of the list of runs is damaged: {error}.") from error
    return line
