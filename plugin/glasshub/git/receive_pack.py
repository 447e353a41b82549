"""``git-receive-pack`` over stateless HTTP: commands, quarantine, checks, then the one door, then the report.

Protocol: https://git-scm.com/docs/gitprotocol-pack ("Pushing Data To a Server").
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from typing import IO

from dulwich.repo import Repo as GitRepo

from glasshub.errors import GlasshubError
from glasshub.git.fsck import check_new_objects
from glasshub.git.pack_read import Limits
from glasshub.git.pktline import FLUSH, MAX_DATA, pkt
from glasshub.git.push_request import PushRequest, read_push_request
from glasshub.git.quarantine import Quarantine
from glasshub.git.refs import ATOMIC, TWICE, RefResult, RefUpdate, check_ref_name
from glasshub.git.sideband import Tell, while_telling

__all__ = ["CAPABILITIES", "Limits", "serve_receive_pack"]

CAPABILITIES = (
    "report-status",
    "delete-refs",
    "side-band-64k",
    "quiet",
    "atomic",
    "ofs-delta",
    "push-options",
    "object-format=sha1",
)
HIDDEN = "the hub keeps this ref; push to refs/heads/ or refs/tags/"

_REPORT, _TALK = b"\x01", b"\x02"
_DRAIN_PIECE = 1024**2
_DRAIN_AT_LEAST = 64 * 1024**2
# What a file says may be quoted, and must not speak to the terminal itself.
_SHOWN = {code: "\ufffd" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}
_log = logging.getLogger(__name__)

Apply = Callable[[Quarantine, list[RefUpdate], bool, list[str], Tell], list[RefResult]]
Outcome = tuple[str, list[RefResult]]


def serve_receive_pack(
    repo: GitRepo, stream: IO[bytes], *, limits: Limits, apply: Apply, hidden: Callable[[str], bool]
) -> Iterator[bytes]:
    """Answer one push.

    Args:
        repo: the repository.
        stream: the request body, already de-chunked and un-gzipped; ``read(n)`` gives ``b""`` at the end.
        limits: what one push may bring.
        apply: the one door, called with quarantine, updates, whether atomic, push options and a listener; it
            returns one result per update. It is called in a thread of its own, when all objects are found sound.
        hidden: tells which refs are the hub's own; updates to them are refused.

    Yields:
        The response body: what the door tells (side band 2) as it comes, then the report.
    """
    source = _Drainable(stream, limits.wire)
    try:
        request = read_push_request(source)
    except GlasshubError as error:
        source.drain()
        yield pkt(f"ERR {_one_line(error.message)}")
        return
    if not request.updates:
        yield FLUSH  # a client that probes for credentials before a large push sends no command
        return
    with Quarantine(repo) as incoming:
        reason = _unpack(request, source, incoming, limits)
        if reason:
            outcome = reason, [RefResult(update, "unpacker error") for update in request.updates]
        else:
            outcome = yield from _apply(request, incoming, apply, hidden)
    yield _report(request, *outcome)


def _unpack(request: PushRequest, source: _Drainable, incoming: Quarantine, limits: Limits) -> str:
    """Take the pack in and check it; returns why that failed (``""``: it did not)."""
    if all(update.deletes for update in request.updates):
        return ""  # the protocol sends no pack then
    try:
        incoming.receive(source, limits)
        check_new_objects(incoming)
    except GlasshubError as error:
        # Clients read the answer only after they have sent everything.
        source.drain()
        return error.message
    except OSError as error:
        _log.exception("a push to %s could not be received", incoming.repo.path)
        return f"the hub could not receive the push ({error.strerror or error}); try again, or tell an admin"
    return ""


def _apply(
    request: PushRequest, incoming: Quarantine, apply: Apply, hidden: Callable[[str], bool]
) -> Generator[bytes, None, Outcome]:
    refusals = _refusals(request.updates, hidden)
    if any(refusals) and request.atomic:
        return "ok", _results(request.updates, [reason or ATOMIC for reason in refusals], [])
    going = [update for update, reason in zip(request.updates, refusals, strict=True) if not reason]
    if not going:
        return "ok", _results(request.updates, refusals, [])
    telling = while_telling(lambda tell: apply(incoming, going, request.atomic, request.options, tell))
    try:
        applied = yield from _talk(request, telling)
    except GlasshubError as error:
        return "ok", [RefResult(update, error.message) for update in request.updates]
    return "ok", _results(request.updates, refusals, applied)


def _talk(
    request: PushRequest, telling: Generator[str, None, list[RefResult]]
) -> Generator[bytes, None, list[RefResult]]:
    with closing(telling):
        while True:
            try:
                line = next(telling)
            except StopIteration as done:
                return list(done.value)
            # "quiet" silences progress, of which there is none; what the door says is said to everybody.
            if request.side_band:
                yield from _band(_TALK, f"{line.translate(_SHOWN)}\n".encode("utf-8", "replace"))


def _refusals(updates: Sequence[RefUpdate], hidden: Callable[[str], bool]) -> list[str]:
    names = [update.ref for update in updates]
    twice = {ref for ref in names if names.count(ref) > 1} if len(set(names)) < len(names) else set()
    return [TWICE if ref in twice else HIDDEN if hidden(ref) else check_ref_name(ref) for ref in names]


def _results(updates: Sequence[RefUpdate], refusals: Sequence[str], applied: Sequence[RefResult]) -> list[RefResult]:
    rest = iter(applied)
    return [RefResult(u, reason) if reason else next(rest) for u, reason in zip(updates, refusals, strict=True)]


def _report(request: PushRequest, unpack: str, results: Sequence[RefResult]) -> bytes:
    """The report-status of the protocol, in side band 1 if the client has side bands."""
    lines = [f"unpack {_one_line(unpack)}\n"]
    lines += [f"ok {r.update.ref}\n" if r.ok else f"ng {r.update.ref} {_one_line(r.error)}\n" for r in results]
    report = b"".join(map(pkt, lines)) + FLUSH if request.report_status else b""
    return b"".join(_band(_REPORT, report)) + FLUSH if request.side_band else report


def _band(band: bytes, data: bytes) -> Iterator[bytes]:
    room = MAX_DATA - 1
    for start in range(0, len(data), room):
        yield pkt(band + data[start : start + room])


def _one_line(text: str) -> str:
    return " ".join(text.split()).translate(_SHOWN)[:1000]


class _Drainable:
    """A request body that can be read to its end without keeping it, but not for ever."""

    def __init__(self, stream: IO[bytes], limit: int) -> None:
        self._stream, self._left = stream, max(limit, _DRAIN_AT_LEAST)

    def read(self, count: int, /) -> bytes:
        return self._stream.read(count)

    def drain(self) -> None:
        try:
            while self._left > 0 and (data := self._stream.read(_DRAIN_PIECE)):
                self._left -= len(data)
        except (GlasshubError, OSError):
            return  # the client has gone, or sends nonsense; it gets the answer it can get
