"""Repos: listing, search, one by key, their problems, and how many there are."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Literal

from sqlite_utils import Database

from glasshub.access import Visibility
from glasshub.errors import Invalid
from glasshub.identity import RepoType
from glasshub.index.queries import cursor as cursors
from glasshub.index.queries.visible import condition, counts, parameters, sized, sizes
from glasshub.index.rows import Page, ProblemRow, RepoRow
from glasshub.weights.sizes import SizeRange

Sort = Literal["last_modified", "created_at", "name", "results", "trending", "likes", "downloads"]

# What is sorted by, whether it descends, and the type of its values in a cursor.
_SORTS: dict[str, tuple[str, bool, type]] = {
    "last_modified": ("r.last_modified", True, str),
    "created_at": ("r.created_at", True, str),
    "name": ("r.lower", False, str),
    "results": ("result_count", True, int),
    "trending": ("trend", True, int),
    "likes": ("like_count", True, int),
    "downloads": ("download_count", True, int),
}
# No name here is one of a column: in a condition it would mean the column. A model's results are those in its files; a
# dataset's those of public models on its leaderboards.
_COLUMNS = (
    "r.*, CASE WHEN r.type = 'model' THEN r.results ELSE coalesce(("
    "SELECT c.results FROM board_counts c WHERE c.dataset_key = r.key AND c.task_id = '' AND c.scope = ''"
    "), 0) END AS result_count, "
    "(SELECT f.total FROM model_facts f WHERE f.key = r.key) AS parameters, "
    "coalesce(p.downloads, 0) AS download_count, coalesce(p.likes, 0) AS like_count, "
    "coalesce(p.downloads_all_time, 0) AS downloads_ever, coalesce(p.trending, 0) AS trend"
)
_FROM = "repos r LEFT JOIN popularity p ON p.key = r.key"
_MOST_WORDS = 12


def repos(
    db: Database,
    see: Visibility,
    *,
    type: RepoType | None = None,
    search: str = "",
    filters: Sequence[str] = (),
    namespace: str = "",
    size: SizeRange | None = None,
    gated: bool | None = None,
    sort: Sort = "last_modified",
    limit: int = 50,
    cursor: str | None = None,
) -> Page[RepoRow]:
    """List repos; ``filters`` are tags that all must match; ``search`` is words in names, titles and cards.

    ``gated`` chooses those that are, or are not.
    ``size`` leaves out models with fewer or more parameters, and those of which nobody knows how many they have.

    Words match from their beginning (``bert`` finds ``BERTopic``). ``results`` of a dataset count public models.

    Raises:
        Invalid: an unknown ``sort`` or a bad cursor.
    """
    if sort not in _SORTS:
        raise Invalid(f"Cannot sort by {sort!r}. Sort by one of: {', '.join(_SORTS)}.")
    where, values = _where(see, type, search, filters, namespace, gated)
    where, values = f"{where} AND {sized('r.key', size)}", {**values, **sizes(size)}
    column, descending, kind = _SORTS[sort]
    values["limit"] = cursors.clamp(limit) + 1
    with db.atomic():
        total = db.execute(f"SELECT count(*) FROM repos r WHERE {where}", values).fetchone()[0]
        after = "TRUE"
        if cursor is not None:
            values["after"], values["after_key"] = cursors.decode(cursor, f"repos {sort}", kind, str)
            after = f"({column}, r.key) {'<' if descending else '>'} (:after, :after_key)"
        order = "DESC" if descending else "ASC"
        rows = list(
            db.query(
                f"SELECT {_COLUMNS} FROM {_FROM} WHERE {where} AND {after} "
                f"ORDER BY {column} {order}, r.key {order} LIMIT :limit",
                values,
            )
        )
    more = len(rows) == values["limit"]
    rows = rows[: values["limit"] - 1]
    name = column.removeprefix("r.")
    following = cursors.encode(f"repos {sort}", rows[-1][name], rows[-1]["key"]) if more else None
    return Page([_repo(row) for row in rows], following, total)


def repo(db: Database, key: str) -> RepoRow | None:
    """One repo's row by key (the caller has checked access); ``None`` before its first sync."""
    rows = list(db.query(f"SELECT {_COLUMNS} FROM {_FROM} WHERE r.key = ?", [key]))
    return _repo(rows[0]) if rows else None


def problems(db: Database, key: str) -> list[ProblemRow]:
    """The problems of one repo's files by path, line, column."""
    rows = db.execute(
        "SELECT key, path, line, column_number, message, severity FROM problems WHERE key = ? "
        "ORDER BY path, line, column_number, severity, message",
        [key],
    )
    return [ProblemRow(*row) for row in rows]


def totals(db: Database, see: Visibility) -> dict[str, int]:
    """Counts of ``models``, ``datasets``, ``benchmarks`` and aligned ``results`` that the reader may see."""
    repo_visible = condition(see, "r.scope", "r.key")
    values = parameters(see)
    whole = counts(see, "task_id = ''")
    with db.atomic():
        by_type = dict(
            db.execute(f"SELECT r.type, count(*) FROM repos r WHERE {repo_visible} GROUP BY r.type", values).fetchall()
        )
        benchmarks, results = db.execute(
            "SELECT count(*), coalesce(sum(c.results), 0) FROM benchmarks b JOIN repos r ON r.key = b.key "
            f"LEFT JOIN ({whole}) c ON c.dataset_key = b.key "
            f"WHERE b.state = 'registered' AND {repo_visible}",
            values,
        ).fetchone()
    return {
        "models": by_type.get("model", 0),
        "datasets": by_type.get("dataset", 0),
        "benchmarks": benchmarks,
        "results": results,
    }


def _where(
    see: Visibility,
    type: RepoType | None,
    search: str,
    filters: Sequence[str],
    namespace: str,
    gated: bool | None,
) -> tuple[str, dict[str, Any]]:
    terms = [condition(see, "r.scope", "r.key")]
    values = parameters(see)
    if type is not None:
        terms.append("r.type = :type")
        values["type"] = type
    if namespace:
        terms.append("r.namespace_lower = :namespace")
        values["namespace"] = namespace.lower()
    if gated is not None:
        terms.append("r.gated != ''" if gated else "r.gated = ''")
    for number, tag in enumerate(dict.fromkeys(filters)):
        terms.append(f"r.key IN (SELECT key FROM repo_tags WHERE tag = :tag{number})")
        values[f"tag{number}"] = tag
    if search.strip():
        words = re.findall(r"\w+", search)[:_MOST_WORDS]
        # Each word is quoted, so that nothing in it is an operator of the query language.
        values["search"] = " AND ".join(f'"{word}"*' for word in words)
        found = "r.document IN (SELECT rowid FROM search WHERE search MATCH :search)"
        terms.append(found if words else "FALSE")
    return " AND ".join(terms), values


def _repo(row: dict[str, Any]) -> RepoRow:
    return RepoRow(
        key=row["key"],
        type=row["type"],
        namespace=row["namespace"],
        name=row["name"],
        private=bool(row["scope"]),
        created_at=row["created_at"],
        last_modified=row["last_modified"],
        head=row["head"],
        title=row["title"],
        excerpt=row["excerpt"],
        card=json.loads(row["card"] or "{}"),
        tags=tuple(json.loads(row["tags"] or "[]")),
        license=row["license"],
        pipeline_tag=row["pipeline_tag"],
        library_name=row["library_name"],
        base_models=tuple(json.loads(row["base_models"] or "[]")),
        benchmark=row["benchmark"],
        results=row["result_count"],
        parameters=row["parameters"],
        downloads=row["download_count"],
        downloads_all_time=row["downloads_ever"],
        likes=row["like_count"],
        trending=row["trend"],
        gated=row["gated"],
    )
