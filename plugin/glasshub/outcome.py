"""The pull request that brings what a runner measured: an entry with its token, and the log beside it.

Where not everybody may read the dataset, the log, which holds its questions, goes to the dataset instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from dulwich.objects import Blob

from glasshub import accounts, edits, large_files, leases, pulls, receive
from glasshub.blobs.pointer import Pointer
from glasshub.desk import Desk, Move
from glasshub.edits import Edit
from glasshub.errors import GlasshubError
from glasshub.evals.entry_text import scalar
from glasshub.evals.eval_results import FOLDER, parse_result_file
from glasshub.git.build import Operation, Place, Put
from glasshub.hub import Hub
from glasshub.identity import Actor, Repo
from glasshub.jobs import Shown
from glasshub.registry.jobs import Attempt
from glasshub.verify.claims import Claims
from glasshub.verify.digests import sha256_of
from glasshub.verify.token import read_claims

LOGS = ".eval_logs"
_SMALL = 1024 * 1024  # bytes; a larger log is kept as a large file


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an outcome is: the pull request, and the repo and commit that have the log."""

    pull: int
    log_repo: str
    log_commit: str


@dataclass(frozen=True, slots=True)
class _Opened:
    number: int
    head: str


def bring(hub: Hub, shown: Shown, attempt: Attempt, owner: str) -> Placed:
    """Open the pull request of an issued run, or find it opened before.

    Args:
        hub: the hub.
        shown: the job.
        attempt: the run, with its token.
        owner: the account that opens it.

    Raises:
        GlasshubError: it cannot be opened: the owner may not, the repo is gone, or its rules refuse it.
    """
    actor, claims = accounts.actor_for(hub, owner), read_claims(attempt.token)
    is_open = not (shown.dataset.private or shown.dataset.gated)
    log_title = f"Log of run {attempt.run}"
    if is_open:
        opened = _open(hub, shown.model, actor, _title(claims), claims, attempt, log=True, entry=True)
        return Placed(opened.number, shown.model.key, opened.head)
    log = _open(hub, shown.dataset, actor, log_title, claims, attempt, log=True, entry=False)
    source = _address(claims, shown.dataset, log.head)
    opened = _open(hub, shown.model, actor, _title(claims), claims, attempt, log=False, entry=True, source=source)
    return Placed(opened.number, shown.dataset.key, log.head)


def _open(
    hub: Hub, repo: Repo, actor: Actor, title: str, claims: Claims, attempt: Attempt, *,
    log: bool, entry: bool, source: str = "",
) -> _Opened:  # fmt: skip
    place = _place_log(hub, repo, actor, attempt) if log else None
    found = _Opened(0, "")

    def decision(desk: Desk) -> Move:
        nonlocal found
        for known in desk.record.discussions.values():
            if known.is_pull and known.title == title:
                found = _Opened(known.number, known.head)
                return Move()
        head, address = desk.main, source
        if place is not None:
            head = edits.build_on(desk, head, Edit([place(desk)], f"Add the log of run {attempt.run}"))
            address = _address(claims, repo, head)
        if entry:
            path, text = write_entry(claims, attempt.token, address)
            head = edits.build_on(desk, head, Edit([Put(path, text.encode())], title))
        move = pulls.open_pull(desk, title=title, body=_body(claims), head=head)
        found = _Opened(move.number, head)
        return move

    receive.decide(hub, repo, actor, decision)
    return found


def _place_log(hub: Hub, repo: Repo, actor: Actor, attempt: Attempt) -> Callable[[Desk], Operation]:
    """Makes the operation that puts the log into a repo; the content of a large one is stored for it before."""
    file, path = leases.log_path(hub, attempt.run), f"{LOGS}/{attempt.run}.eval"
    try:
        size = file.stat().st_size
    except FileNotFoundError:
        return _gone
    if size <= _SMALL:
        data = file.read_bytes()
        return lambda _: Put(path, data)
    with file.open("rb") as stream:
        pointer = Pointer(sha256_of(stream)[0], size)
        large_files.require_may_add(hub, actor, repo, size)
        stream.seek(0)
        large_files.receive(hub, repo, actor.name or "", pointer, stream)
    blob = Blob.from_string(pointer.text())
    return lambda desk: Place(path, desk.incoming.add(blob))


def _gone(_desk: Desk) -> Operation:
    raise GlasshubError("The log of the run was lost on the hub's disk.")


def write_entry(claims: Claims, token: str, source: str) -> tuple[str, str]:
    """The result file with what was measured: its path, one for each run, and its text.

    Raises:
        GlasshubError: it does not read back as what was signed.
    """
    slug = re.sub(r"[^a-z0-9._-]+", "-", f"{claims.dataset.id.partition('/')[2]}-{claims.task.id}".lower()).strip(".-_")
    path = f"{FOLDER}/{slug[:120]}-{claims.jti[:8]}.yaml"
    extra = {
        "model_revision": claims.model.sha, "n": claims.n_items, "epochs": claims.epochs, "harness": "Inspect",
        "harness_version": claims.framework.version, "run": f"run-{claims.jti}", "runner": claims.runner.id,
        "engine": claims.runner.engine,
    }  # fmt: skip
    lines = [
        "- dataset:",
        f"    id: {scalar(claims.dataset.id)}",
        f"    task_id: {scalar(claims.task.id)}",
        f'    revision: "{claims.dataset.sha}"',
        f"  value: {claims.value!r}",
        f"  verifyToken: {json.dumps(token)}",
        f'  date: "{claims.finished_at}"',
        "  source:",
        f"    url: {scalar(source)}",
        f"    name: Log of {claims.runner.id}",
        "  extra:",
        *([f"    stderr: {claims.stderr!r}"] if claims.stderr is not None else []),
        *(f"    {name}: {json.dumps(value, ensure_ascii=False)}" for name, value in extra.items()),
    ]
    text = "".join(f"{line}\n" for line in lines)
    parsed = parse_result_file(text.encode(), path)
    if len(parsed.entries) != 1 or (parsed.entries[0].value, parsed.entries[0].verify_token) != (claims.value, token):
        raise GlasshubError("The entry does not read back as what was signed.")
    return path, text


def _title(claims: Claims) -> str:
    return f"Measured {claims.dataset.id} {claims.task.id}"[:150] + f" (run {claims.jti[:12]})"


def _body(claims: Claims) -> str:
    how = "an endpoint" if claims.model.served == "endpoint" else "the weights"
    return (
        f"The runner {claims.runner.id} ran the task `{claims.task.id}` of {claims.dataset.id} at "
        f"`{claims.dataset.sha[:12]}` on {how} of this model at `{claims.model.sha[:12]}`: **{claims.value!r}**, "
        f"{claims.n_items} items in {claims.epochs} epoch(s), with {claims.framework.name} {claims.framework.version}. "
        f"It signed what it measured, whatever was claimed before; the run is on record as `{claims.jti}`."
    )


def _address(claims: Claims, repo: Repo, commit: str) -> str:
    return f"{claims.iss}{repo.path}/resolve/{commit}/{LOGS}/{claims.jti}.eval"
