"""The rows that describe one repo by itself: names, card, tags, refs, problems, benchmark, commits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping

from sqlite_utils import Database

from glasshub.conversation import Discussion
from glasshub.index import concerns, model_rows, schema
from glasshub.index.replace import Row, replace
from glasshub.index.snapshot import Hidden, Owner, RepoSnapshot

OFFICIAL = "benchmark:official"
SEARCHED_CHARACTERS = 20_000

# The tables whose rows belong to one repo, with the column that names it; names and results are apart.
OWNED = (
    (schema.INDEXED, "key"),
    (schema.REFS, "key"),
    (schema.REPOS, "key"),
    (schema.MODELS, "key"),
    (schema.HEADERS, "key"),
    (schema.TAGS, "key"),
    (schema.PROBLEMS, "key"),
    (schema.BENCHMARKS, "key"),
    (schema.TASKS, "key"),
    (schema.COMMITS, "key"),
    (schema.CONTENTS, "key"),
    (schema.RUNNER_KEYS, "key"),
    (schema.ISSUED, "key"),
    (schema.HIDDEN, "model_key"),
    (schema.DISCUSSIONS, "key"),
)


def write(db: Database, snap: RepoSnapshot) -> set[str]:
    """Replace the rows of one repo; returns the names of the tables that changed."""
    rows = {table.name: list(_ROWS[table.name](snap)) for table, _ in OWNED}
    previous = namespace_of(db, snap.key)
    changed = {t.name for t, column in OWNED if replace(db, t, rows[t.name], f"{column} = ?", [snap.key]).changed}
    # What is logged stays: events are only added, unless the chain is another one.
    for table, fresh in ((schema.EVENTS, _events(snap)), (schema.CONCERNS, concerns.rows(snap))):
        if replace(db, table, fresh, "key = ? AND place >= ?", [snap.key, snap.logged]).changed:
            changed.add(table.name)
    document = schema.document_id(snap.key)
    if replace(db, schema.SEARCH, [_document(snap)], "rowid = ?", [document]).changed:
        changed.add(schema.SEARCH.name)
    if write_owner(db, snap.observed.owner):
        changed.add(schema.NAMESPACES.name)
    forget_owner(db, previous)
    return changed


def remove(db: Database, key: str) -> bool:
    """Remove the rows of one repo; whether there were any."""
    previous = namespace_of(db, key)
    owned = (*OWNED, (schema.EVENTS, "key"), (schema.CONCERNS, "key"))
    changed = [replace(db, table, (), f"{column} = ?", [key]).changed for table, column in owned]
    changed.append(replace(db, schema.SEARCH, (), "rowid = ?", [schema.document_id(key)]).changed)
    forget_owner(db, previous)
    return any(changed)


def write_names(db: Database, snap: RepoSnapshot) -> set[str]:
    """Replace the present and former names of one repo; returns the names that it won or lost."""
    facts = snap.observed.facts
    rows: list[Row] = [(facts.type, lower, snap.key) for lower in facts.names]
    names = replace(db, schema.NAMES, rows, "key = ?", [snap.key])
    return {row[1] for row in (*names.removed, *names.added)}


def remove_names(db: Database, key: str) -> set[str]:
    """Remove all names of a repo and return them."""
    return {row[1] for row in replace(db, schema.NAMES, (), "key = ?", [key]).removed}


def write_owner(db: Database, owner: Owner) -> bool:
    """Replace the row of a namespace; whether it changed."""
    lower = owner.name.lower()
    row = (lower, owner.name, owner.kind, owner.full_name)
    return replace(db, schema.NAMESPACES, [row], "lower = ?", [lower]).changed


def forget_owner(db: Database, lower: str) -> None:
    """Remove the row of a namespace that has no repos any more."""
    if not has_repos(db, lower):
        db.execute("DELETE FROM namespaces WHERE lower = ?", [lower])


def has_repos(db: Database, lower: str) -> bool:
    """Whether a namespace has indexed repos."""
    return db.execute("SELECT 1 FROM repos WHERE namespace_lower = ?", [lower]).fetchone() is not None


def namespace_of(db: Database, key: str) -> str:
    """The lower-cased namespace in which a repo is indexed (``""`` when it is not)."""
    row = db.execute("SELECT namespace_lower FROM repos WHERE key = ?", [key]).fetchone()
    return row[0] if row else ""


def to_json(value: object) -> str:
    """JSON for a column (``""`` for an empty mapping or list, which most are)."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value else ""


def _indexed(snap: RepoSnapshot) -> Iterator[Row]:
    yield (snap.key, snap.observed.facts.as_json())


def _keys(snap: RepoSnapshot) -> Iterator[Row]:
    for key in snap.recorded.keys:
        yield (key.kid, snap.key, key.runner, key.public.hex(), key.not_before, key.revoked_at, key.reason)


def _repo(snap: RepoSnapshot) -> Row:
    facts, card = snap.observed.facts, snap.card
    return (
        snap.key, facts.type, facts.namespace, facts.namespace.lower(), facts.name, facts.repo_id.lower(),
        facts.scope, facts.created_at, snap.last_modified, snap.head, card.title, card.excerpt,
        to_json(dict(card.front_matter)), to_json(_tags(snap)), card.license, model_rows.pipeline(snap),
        model_rows.library(snap),
        to_json(list(card.base_models)), int(bool(card.base_models)), _state(snap), len(snap.results),
        schema.document_id(snap.key), facts.gated,
    )  # fmt: skip


def _hidden(key: str, hidden: Hidden) -> Row:
    result, entry = hidden.result, hidden.result.entry
    return (
        key, result.id, result.pull, entry.path, entry.line, entry.dataset_id, entry.dataset_id.lower(), entry.task_id,
        entry.value_text, result.submitter, result.git_author, hidden.by, hidden.date, hidden.reason,
    )  # fmt: skip


def _events(snap: RepoSnapshot) -> Iterator[Row]:
    for place, logged in enumerate(snap.log[snap.logged :], start=snap.logged):
        event = logged.event
        if event is None:
            yield (snap.key, place, logged.commit, "", "", 0, "", "", "{}")
        else:
            data = json.dumps(dict(event.data), ensure_ascii=False, sort_keys=True)
            yield (
                snap.key, place, logged.commit, event.id, event.type.value, event.number, event.actor, event.date, data,
            )  # fmt: skip


def _discussion(key: str, found: Discussion) -> Row:
    comments = list(found.comments.values())
    shown = [comment for comment in comments if not comment.hidden]
    words = "\n".join([found.title, *(comment.body for comment in shown)])[:SEARCHED_CHARACTERS].lower()
    merge = found.merge
    return (
        key, found.number, int(found.is_pull), found.title, found.author, found.status, found.created_at,
        found.updated_at, sum(comment in shown for comment in comments[1:]), int(found.pinned), int(found.locked),
        found.head, int(found.head_deleted), merge.commit if merge else "", merge.by if merge else "", words,
    )  # fmt: skip


def _state(snap: RepoSnapshot) -> str:
    if snap.benchmark is None:
        return ""
    return "registered" if snap.observed.facts.registered else "awaiting"


def _tags(snap: RepoSnapshot) -> list[str]:
    official = {OFFICIAL} if _state(snap) == "registered" else set()
    # A card cannot make its repo official.
    concluded = model_rows.tags(snap) if snap.observed.facts.type == "model" else set()
    return sorted(set(snap.card.tags) - {OFFICIAL} | concluded | official)


def _document(snap: RepoSnapshot) -> Row:
    card = snap.card
    name, body = snap.observed.facts.repo_id, card.body[:SEARCHED_CHARACTERS]
    return (schema.document_id(snap.key), name, card.title, " ".join(_tags(snap)), body)


def _benchmark(snap: RepoSnapshot) -> Iterator[Row]:
    if spec := snap.benchmark:
        yield (snap.key, _state(snap), spec.name, spec.description, spec.framework)


def _tasks(snap: RepoSnapshot) -> Iterator[Row]:
    for position, task in enumerate(snap.benchmark.tasks if snap.benchmark else ()):
        metric = task.metric
        yield (
            snap.key, task.id, position, task.config, task.split, metric.name, int(metric.higher_is_better),
            metric.unit, metric.minimum, metric.maximum, to_json(dict(task.spec)),
        )  # fmt: skip


# The rows of one repo, per table.
_ROWS: Mapping[str, Callable[[RepoSnapshot], Iterable[Row]]] = {
    schema.INDEXED.name: _indexed,
    schema.REFS.name: lambda snap: ((snap.key, name, target) for name, target in snap.observed.refs.items()),
    schema.REPOS.name: lambda snap: [_repo(snap)],
    schema.MODELS.name: model_rows.facts,
    schema.HEADERS.name: model_rows.headers,
    schema.TAGS.name: lambda snap: ((tag, snap.key) for tag in _tags(snap)),
    schema.PROBLEMS.name: lambda snap: (
        (snap.key, p.path, p.line, p.column, p.severity, p.message) for p in snap.problems
    ),
    schema.BENCHMARKS.name: _benchmark,
    schema.TASKS.name: _tasks,
    schema.COMMITS.name: lambda snap: ((snap.key, commit) for commit in snap.commits),
    schema.CONTENTS.name: lambda snap: [(snap.key, snap.content)] if snap.content else [],
    schema.RUNNER_KEYS.name: _keys,
    schema.ISSUED.name: lambda snap: ((token, snap.key, reason) for token, reason in snap.recorded.issued.items()),
    schema.HIDDEN.name: lambda snap: (_hidden(snap.key, hidden) for hidden in snap.hidden),
    schema.DISCUSSIONS.name: lambda snap: (_discussion(snap.key, found) for found in snap.discussions),
}
