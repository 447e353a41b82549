"""``git-receive-pack`` over stateless HTTP: commands, quarantine, checks, then the one door, then the report.

Protocol: https://git-scm.com/docs/gitprotocol-pack (section "Pushing Data To a Server").
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO

from dulwich.repo import Repo as GitRepo

from glasshub.errors import GlasshubError, Invalid, TooLarge
from glasshub.git.fsck import check_new_objects
from glasshub.git.pack_read import Limits
from glasshub.git.pktline import FLUSH, pkt, read_pkt
from glasshub.git.quarantine import Quarantine
from glasshub.git.refs import RefResult, RefUpdate, is_object_id

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
MAX_COMMANDS = 10_000
_BAND = 65_515
Tell = Callable[[str], None]
Apply = Callable[[Quarantine, list[RefUpdate], bool, list[str], Tell], list[RefResult]]


@dataclass(slots=True)
class _Push:
    """What the client asks for."""

    updates: list[RefUpdate] = field(default_factory=list)
    capabilities: frozenset[str] = frozenset()
    options: list[str] = field(default_factory=list)


def serve_receive_pack(
    repo: GitRepo, stream: IO[bytes], *, limits: Limits, apply: Apply, hidden: Callable[[str], bool]
) -> Iterator[bytes]:
    """Answer one push.

    Args:
        repo: the repository.
        stream: the request body, already de-chunked and un-gzipped.
        limits: what one push may bring.
        apply: the one door, called with quarantine, updates, whether atomic, push options and a listener.
        hidden: tells which refs are the hub's own; updates to them are refused.

    Yields:
        The response body.
    """
    try:
        push = _read_commands(stream)
    except GlasshubError as error:
        yield pkt(f"ERR {error.message}")
        return
    if not push.updates:
        yield FLUSH
        return
    if "side-band-64k" in push.capabilities:
        yield from _with_side_band(lambda tell: _process(repo, stream, push, limits, apply, hidden, tell), push)
    else:
        unpack, results = _process(repo, stream, push, limits, apply, hidden, lambda line: None)  # noqa: ARG005
        yield _report(unpack, results) if "report-status" in push.capabilities else b""


def _read_commands(stream: IO[bytes]) -> _Push:
    push = _Push()
    while (line := read_pkt(stream)) is not None:
        text, _, capabilities = line.partition(b"\0")
        if capabilities:
            push.capabilities = frozenset(capabilities.decode("utf-8", "replace").split())
        words = text.rstrip(b"\n").decode("utf-8", "surrogateescape").split(" ", 2)
        if words[0] == "shallow":
            continue  # the connectivity check decides; a shallow client pushes on top of what the repo has
        if len(words) != 3 or not is_object_id(words[0]) or not is_object_id(words[1]):
            raise Invalid("The push has a command that makes no sense. Push with a stock git client.")
        push.updates.append(RefUpdate(*words))
        if len(push.updates) > MAX_COMMANDS:
            raise TooLarge(f"A push may change at most {MAX_COMMANDS:,} refs. Push in smaller parts.")
    if "push-options" in push.capabilities and push.updates:
        while (line := read_pkt(stream)) is not None:
            push.options.append(line.rstrip(b"\n").decode("utf-8", "replace"))
            if len(push.options) > 100:
                raise TooLarge("A push may carry at most 100 push options.")
    return push


def _process(
    repo: GitRepo,
    stream: IO[bytes],
    push: _Push,
    limits: Limits,
    apply: Apply,
    hidden: Callable[[str], bool],
    tell: Tell,
) -> tuple[str, list[RefResult]]:
    """Returns the unpack status ("ok" or why not) and a result per update."""
    with Quarantine(repo) as incoming:
        try:
            if any(not update.deletes for update in push.updates):
                _receive(incoming, stream, limits)
            refused = {u.ref: "the hub keeps this ref" for u in push.updates if hidden(u.ref)}
            if refused and "atomic" in push.capabilities:
                return "ok", [RefResult(u, refused.get(u.ref, "atomic push failed")) for u in push.updates]
            going = [update for update in push.updates if update.ref not in refused]
            atomic = "atomic" in push.capabilities
            done = iter(apply(incoming, going, atomic, push.options, tell) if going else [])
            return "ok", [RefResult(u, refused[u.ref]) if u.ref in refused else next(done) for u in push.updates]
        except GlasshubError as error:
            return error.message, [RefResult(update, "unpacker error") for update in push.updates]


def _receive(incoming: Quarantine, stream: IO[bytes], limits: Limits) -> None:
    incoming.receive(stream, limits)
    check_new_objects(incoming)


def _report(unpack: str, results: Sequence[RefResult]) -> bytes:
    lines = [pkt(f"unpack {_one_line(unpack)}\n")]
    for result in results:
        ref = result.update.ref
        lines.append(pkt(f"ok {ref}\n" if result.ok else f"ng {ref} {_one_line(result.error)}\n"))
    return b"".join(lines) + FLUSH


def _one_line(text: str) -> str:
    return " ".join(text.split())[:900]


def _with_side_band(process: Callable[[Tell], tuple[str, list[RefResult]]], push: _Push) -> Iterator[bytes]:
    """Run ``process`` in a thread of its own so that what it tells reaches the terminal as it comes."""
    lines: queue.Queue[str | None] = queue.Queue()
    outcome: list[tuple[str, list[RefResult]]] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(process(lines.put))
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits, which raises it
            failure.append(error)
        finally:
            lines.put(None)

    worker = threading.Thread(target=run, name="receive-pack")
    worker.start()
    while (line := lines.get()) is not None:
        yield pkt(b"\x02" + line[: _BAND // 4].encode("utf-8", "replace") + b"\n")
    worker.join()
    if failure:
        raise failure[0]
    if "report-status" in push.capabilities:
        report = _report(*outcome[0])
        for start in range(0, len(report), _BAND):
            yield pkt(b"\x01" + report[start : start + _BAND])
    yield FLUSH
