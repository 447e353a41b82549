"""Ref advertisements: the answer to ``GET info/refs``.

Protocol: https://git-scm.com/docs/gitprotocol-http, https://git-scm.com/docs/gitprotocol-v2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from dulwich.objects import ObjectID, Tag
from dulwich.refs import HEADREF
from dulwich.repo import BaseRepo

import glasshub
from glasshub.git.ancestry import lookup
from glasshub.git.pktline import FLUSH, pkt

AGENT = f"agent=glasshub/{glasshub.__version__}"
ON_REQUEST = "refs/pr/"
"""Heads of pull requests: not in ordinary clones, but anybody who may read may fetch them by name."""
UPLOAD_CAPABILITIES = (
    "multi_ack_detailed",
    "no-done",
    "side-band-64k",
    "thin-pack",
    "ofs-delta",
    "shallow",
    "deepen-since",
    "deepen-not",
    "deepen-relative",
    "no-progress",
    "include-tag",
    "allow-tip-sha1-in-want",
    "allow-reachable-sha1-in-want",
    "filter",
    "object-format=sha1",
    AGENT,
)
Hidden = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class AdvertisedRef:
    """A ref as clients see it; ``peeled`` is what an annotated tag leads to, else ``b""``."""

    name: bytes
    oid: ObjectID
    peeled: bytes = b""


def advertised_refs(repo: BaseRepo, accept: Callable[[str], bool], *, peel: bool = True) -> list[AdvertisedRef]:
    """Refs whose names ``accept`` takes, in name order, without ``HEAD``."""
    found = []
    for name, oid in sorted(repo.refs.as_dict().items()):
        text = name.decode("utf-8", "surrogateescape")
        if text.startswith("refs/") and accept(text):
            found.append(AdvertisedRef(name, oid, _peeled(repo, name, oid) if peel else b""))
    return found


def head_target(repo: BaseRepo) -> tuple[bytes, ObjectID | None]:
    """The branch ``HEAD`` names and its commit (``None`` while the branch is unborn)."""
    names, oid = repo.refs.follow(HEADREF)
    return names[-1], oid


def advertise_upload_pack(repo: BaseRepo, *, version: int, hidden: Hidden) -> bytes:
    """The whole body for ``service=git-upload-pack``.

    Args:
        repo: the repository.
        version: the protocol version the client asked for (0, 1 or 2).
        hidden: tells which refs are the hub's own.
    """
    if version == 2:
        lines = ["version 2", AGENT, "ls-refs=unborn", "fetch=shallow wait-for-done filter", "object-format=sha1"]
        return b"".join(pkt(f"{line}\n") for line in lines) + FLUSH
    branch, oid = head_target(repo)
    refs = advertised_refs(repo, lambda ref: not hidden(ref) and not ref.startswith(ON_REQUEST))
    capabilities = list(UPLOAD_CAPABILITIES)
    if oid is not None:
        capabilities.append(f"symref=HEAD:{branch.decode('utf-8', 'surrogateescape')}")
        refs.insert(0, AdvertisedRef(b"HEAD", oid))
    return _service("git-upload-pack", version) + _ref_lines(refs, capabilities)


def advertise_receive_pack(repo: BaseRepo, *, hidden: Hidden, capabilities: Sequence[str]) -> bytes:
    """The whole body for ``service=git-receive-pack`` (protocol v0, as every client speaks it for pushes)."""
    refs = advertised_refs(repo, lambda ref: not hidden(ref), peel=False)
    return _service("git-receive-pack", 0) + _ref_lines(refs, [*capabilities, AGENT])


def _service(name: str, version: int) -> bytes:
    begin = pkt(f"# service={name}\n") + FLUSH
    return begin + pkt("version 1\n") if version == 1 else begin


def _ref_lines(refs: Iterable[AdvertisedRef], capabilities: Sequence[str]) -> bytes:
    lines: list[bytes] = []
    for ref in refs:
        lines.append(ref.oid + b" " + ref.name)
        if ref.peeled:
            lines.append(ref.peeled + b" " + ref.name + b"^{}")
    if not lines:
        lines.append(b"0" * 40 + b" capabilities^{}")
    lines[0] += b"\0" + " ".join(capabilities).encode()
    return b"".join(pkt(line + b"\n") for line in lines) + FLUSH


def _peeled(repo: BaseRepo, name: bytes, oid: ObjectID) -> bytes:
    if not name.startswith(b"refs/tags/"):
        return b""
    found = lookup(repo.object_store, oid)
    target = b""
    for _ in range(16):
        if not isinstance(found, Tag):
            break
        target = found.object[1]
        found = lookup(repo.object_store, found.object[1])
    return target
