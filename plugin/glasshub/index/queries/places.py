"""Where results stand that somebody refers to by their ids."""

from __future__ import annotations

import json
from collections.abc import Collection

from sqlite_utils import Database


def result_places(db: Database, key: str, ids: Collection[str]) -> dict[str, tuple[str, str, int]]:
    """Commit, path and line of those results of a model that are shown, by id. The caller has checked access."""
    rows = db.execute(
        "SELECT id, commit_id, path, line FROM results WHERE model_key = ? AND id IN (SELECT value FROM json_each(?))",
        [key, json.dumps(sorted(ids))],
    )
    return {id: (commit, path, line) for id, commit, path, line in rows}
