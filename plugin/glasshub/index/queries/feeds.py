"""What feeds tell: the newest results and discussions of a leaderboard, a repo, or somebody's repos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database

from glasshub.access import Visibility
from glasshub.index.queries.discussions import discussion
from glasshub.index.queries.result_rows import COLUMNS, joins, result_row
from glasshub.index.queries.visible import condition, parameters
from glasshub.index.rows import FeedDiscussion, FeedResult

MOST = 50


@dataclass(frozen=True, slots=True)
class About:
    """What a feed is about: a repo, a leaderboard (with ``task_id``), or with ``namespace`` all of its repos.

    ``author`` adds the discussions that somebody opened elsewhere.
    """

    key: str = ""
    task_id: str = ""
    namespace: str = ""
    author: str = ""


def feed_results(db: Database, see: Visibility, about: About) -> list[FeedResult]:
    """The results that are shown, those with the newest commits first; on a leaderboard those that count on it."""
    if about.task_id:
        where = "r.dataset_key = :key AND d.key IS NOT NULL AND r.task_id = :task AND r.state = 'aligned'"
    else:
        where = "r.model_key = :key" if about.key else "m.namespace_lower = :namespace"
    rows = db.execute(
        f"SELECT {COLUMNS}, r.committed_at FROM results r {joins(condition(see, 'd.scope', 'd.key'))} "
        f"WHERE {where} AND {condition(see, 'm.scope', 'm.key')} "
        f"ORDER BY r.committed_at DESC, r.model_key, r.path, r.position LIMIT {MOST}",
        _values(see, about),
    ).fetchall()
    return [FeedResult(result_row(row, headline=False), row[-1]) for row in rows]


def feed_discussions(db: Database, see: Visibility, about: About) -> list[FeedDiscussion]:
    """Discussions and pull requests that are not closed (a merged one is told), the one that changed last first."""
    if about.key:
        where = "d.key = :key"
    else:
        where = "(r.namespace_lower = :namespace OR (:author != '' AND d.author = :author COLLATE NOCASE))"
    with db.atomic():
        rows = db.execute(
            "SELECT d.key, r.type, r.namespace || '/' || r.name, d.number FROM discussions d "
            f"JOIN repos r ON r.key = d.key WHERE {where} AND NOT (d.pull AND d.status = 'closed') "
            f"AND {condition(see, 'r.scope', 'r.key')} ORDER BY d.updated_at DESC, d.key, d.number LIMIT {MOST}",
            _values(see, about),
        ).fetchall()
        found = [(key, type, repo_id, discussion(db, key, number)) for key, type, repo_id, number in rows]
    return [FeedDiscussion(key, type, repo_id, about) for key, type, repo_id, about in found if about is not None]


def _values(see: Visibility, about: About) -> dict[str, Any]:
    return parameters(see, key=about.key, task=about.task_id, namespace=about.namespace.lower(), author=about.author)
