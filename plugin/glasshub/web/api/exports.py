"""Exports: leaderboards, benchmarks, models and the whole hub as files, streamed as one moment's state."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import cast

from flask import Blueprint, Response, current_app, request
from flask.blueprints import BlueprintSetupState

from glasshub.errors import Busy
from glasshub.exports import contents, formats
from glasshub.exports.contents import Moment
from glasshub.exports.records import Record
from glasshub.web.api.arguments import api_repo, see
from glasshub.web.api.benchmarks import wanted_task
from glasshub.web.context import hub
from glasshub.weights.sizes import parse_range

bp = Blueprint("api_exports", __name__)
MOST_SECONDS = 1800  # a moment that is read keeps the index's log from being cut, so nobody may read one for ever
MOST_AT_ONCE = 4  # of the whole hub, in each process: they take seconds of processor time
_EXTENSION = "glasshub_exports"


@bp.record_once
def _count_from_now_on(state: BlueprintSetupState) -> None:
    state.app.extensions[_EXTENSION] = threading.BoundedSemaphore(MOST_AT_ONCE)


@bp.get("/api/datasets/<ns>/<name>/leaderboard/export")
def leaderboard(ns: str, name: str) -> Response:
    """All rows of a leaderboard: ``task_id``, ``base_model``, ``num_parameters`` as for itself, ``format``."""
    repo = api_repo("datasets", ns, name)
    task = wanted_task(repo, request.args.get("task_id", "")).task_id
    size = parse_range(request.args.get("num_parameters", ""))
    return _answer(
        lambda now: now.leaderboard(repo.key, task, include_derived=_derived(default=False), size=size),
        f"{repo.repo_id}-{task}",
    )


@bp.get("/api/datasets/<ns>/<name>/benchmark/export")
def benchmark(ns: str, name: str) -> Response:
    """The leaderboards of all tasks of a benchmark: ``base_model``, ``num_parameters``, ``format``."""
    repo = api_repo("datasets", ns, name)
    wanted_task(repo)
    size = parse_range(request.args.get("num_parameters", ""))
    return _answer(
        lambda now: now.benchmark(repo.key, include_derived=_derived(default=False), size=size), repo.repo_id
    )


@bp.get("/api/models/<ns>/<name>/eval-results/export")
def model(ns: str, name: str) -> Response:
    """All results that a model shows: ``format``."""
    repo = api_repo("models", ns, name)
    return _answer(lambda now: now.model(repo.key), f"{repo.repo_id}-results")


@bp.get("/api/results/export")
def everything() -> Response:
    """All results of the hub: ``format``; ``base_model=true`` leaves models out that build on others."""
    what = f"{hub().settings.name}-results"
    turns = cast(threading.BoundedSemaphore, current_app.extensions[_EXTENSION])
    return _answer(lambda now: now.everything(include_derived=_derived(default=True)), what, turns=turns)


def _answer(
    records: Callable[[Moment], Iterator[Record]], what: str, *, turns: threading.BoundedSemaphore | None = None
) -> Response:
    """The export in the format that is asked for. Raises ``Invalid``, ``Busy``."""
    format = formats.find(request.args.get("format") or "jsonl")
    with ExitStack() as opened:
        if turns is not None:
            _take_turn(turns, opened)
        now = opened.enter_context(contents.moment(hub(), see()))
        tag = _tag(now)
        response = Response(_within_time(format.write(records(now))), content_type=format.type)
        response.call_on_close(opened.pop_all().close)
        response.set_etag(tag)
        response.headers["Content-Disposition"] = f'attachment; filename="{formats.file_name(what, format)}"'
        if request.if_none_match.contains_weak(tag):
            response.status_code, response.response = 304, ()
    return response


def _within_time(pieces: Iterator[bytes]) -> Iterator[bytes]:
    deadline = time.monotonic() + MOST_SECONDS
    for block in formats.blocks(pieces):
        yield block
        if time.monotonic() > deadline:
            # The connection ends without the last chunk, so that nobody takes half a file for the whole.
            raise Busy(f"An export was not fetched within {MOST_SECONDS} seconds and was given up.")


def _tag(now: Moment) -> str:
    """Changes with all that decides what is sent: the state of the index, who asks, and for what."""
    asked = (now.state(), repr(now.see), request.path, repr(sorted(request.args.items(multi=True))))
    return hashlib.sha256("\0".join(asked).encode("utf-8", "replace")).hexdigest()[:32]


def _derived(*, default: bool) -> bool:
    """Whether models that build on others are wanted; ``base_model`` is as stock clients send it."""
    return {"false": True, "true": False}.get(request.args.get("base_model", "").lower(), default)


def _take_turn(turns: threading.BoundedSemaphore, opened: ExitStack) -> None:
    if not turns.acquire(blocking=False):
        raise Busy("Others are fetching everything just now. Try again in a minute.")
    opened.callback(turns.release)
