"""Audits as a plugin of the hub: told of every push, they note which logs came."""

from __future__ import annotations

import logging
import sqlite3

from glasshub.audits import queue
from glasshub.errors import GlasshubError
from glasshub.hub import Hub
from glasshub.identity import Repo
from glasshub.plugins import hookimpl

_log = logging.getLogger(__name__)


@hookimpl
def post_receive(repo: Repo, hub: Hub) -> None:
    """The refs of a repo have changed."""
    if repo.type != "model":
        return  # what a benchmark changes for the results of others is found by looking at all, now and then
    try:
        queue.note(hub, repo.key)
    except (GlasshubError, sqlite3.Error):
        _log.exception("the logs of %s are put on the list of audits later", repo.key)
