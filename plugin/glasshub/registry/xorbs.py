"""Which repos use which xorbs, whole or in part, and where known chunks are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, select, tuple_

from glasshub.names import folded
from glasshub.registry.tables import known_chunks, xorb_files, xorb_runs, xorb_senders, xorb_uses

_AT_ONCE = 200  # rows in one statement
_TABLES = (xorb_uses, xorb_runs, xorb_files, xorb_senders, known_chunks)
_MOST_XORBS = 100  # a chunk that is in more of them is not looked for further


@dataclass(frozen=True, slots=True)
class Use:
    """A repo that uses a xorb: the chunks ``first`` to ``last`` (exclusive); ``last`` is ``None`` for all of it."""

    repo: str
    first: int = 0
    last: int | None = None


def add(db: Connection, repo: str, xorb: str) -> bool:
    """Note that a xorb was uploaded for a repo; whether that is new."""
    known = xorb_uses.select().where((xorb_uses.c.xorb == xorb) & (xorb_uses.c.repo == repo))
    if db.execute(known).first():
        return False
    db.execute(xorb_uses.insert().values(xorb=xorb, repo=repo))
    return True


def add_sender(db: Connection, repo: str, xorb: str, account: str) -> bool:
    """Note that somebody uploaded a xorb for a repo; whether that is new of them."""
    if sent(db, xorb, account, repo=repo):
        return False
    db.execute(xorb_senders.insert().values(xorb=xorb, account=folded(account), repo=repo))
    return True


def sent(db: Connection, xorb: str, account: str, *, repo: str = "") -> bool:
    """Whether somebody uploaded a xorb, for this repo or (by default) for any, also one that is gone."""
    same = (xorb_senders.c.xorb == xorb) & (xorb_senders.c.account == folded(account))
    if repo:
        same &= xorb_senders.c.repo == repo
    return db.execute(select(xorb_senders).where(same)).first() is not None


def add_runs(db: Connection, repo: str, runs: Collection[tuple[str, int, int]]) -> None:
    """Note that runs of chunks (xorb, first, last) make files of a repo."""
    wanted = sorted(set(runs))
    columns = (xorb_runs.c.xorb, xorb_runs.c.first, xorb_runs.c.last)
    for start in range(0, len(wanted), _AT_ONCE):
        part = wanted[start : start + _AT_ONCE]
        rows = db.execute(select(*columns).where((xorb_runs.c.repo == repo) & tuple_(*columns).in_(part)))
        known = {(row.xorb, row.first, row.last) for row in rows}
        fresh = [{"repo": repo, "xorb": x, "first": f, "last": n} for x, f, n in part if (x, f, n) not in known]
        if fresh:
            db.execute(xorb_runs.insert(), fresh)


def uses(db: Connection, xorb: str) -> list[Use]:
    """The repos that use a xorb, those first for which all of it was uploaded."""
    whole = db.scalars(select(xorb_uses.c.repo).where(xorb_uses.c.xorb == xorb).order_by(xorb_uses.c.repo))
    parts = db.execute(select(xorb_runs).where(xorb_runs.c.xorb == xorb).order_by(xorb_runs.c.repo, xorb_runs.c.first))
    return [*(Use(repo) for repo in whole), *(Use(row.repo, row.first, row.last) for row in parts)]


def add_chunks(db: Connection, chunks: Collection[str], xorb: str) -> None:
    """Note that known chunks are in a xorb."""
    known = set(db.scalars(select(known_chunks.c.chunk).where(known_chunks.c.xorb == xorb)))
    fresh = sorted(set(chunks) - known)
    if fresh:
        db.execute(known_chunks.insert(), [{"chunk": chunk, "xorb": xorb} for chunk in fresh])


def holding(db: Connection, chunk: str) -> list[str]:
    """The xorbs that hold a known chunk."""
    found = select(known_chunks.c.xorb).where(known_chunks.c.chunk == chunk).order_by(known_chunks.c.xorb)
    return list(db.scalars(found.limit(_MOST_XORBS)))


def add_file(db: Connection, repo: str, file: str, xorbs: Collection[str]) -> None:
    """Note that a file of a repo is made of xorbs."""
    same = (xorb_files.c.repo == repo) & (xorb_files.c.file == file)
    known = set(db.scalars(select(xorb_files.c.xorb).where(same)))
    fresh = sorted(set(xorbs) - known)
    if fresh:
        db.execute(xorb_files.insert(), [{"xorb": xorb, "repo": repo, "file": file} for xorb in fresh])


def files(db: Connection, xorb: str) -> list[tuple[str, str]]:
    """Files (repo, Xet hash) that are made of a xorb."""
    found = select(xorb_files.c.repo, xorb_files.c.file).where(xorb_files.c.xorb == xorb)
    ordered = found.order_by(xorb_files.c.file, xorb_files.c.repo).limit(_MOST_XORBS)
    return [(row.repo, row.file) for row in db.execute(ordered)]


def known(db: Connection) -> set[str]:
    """All xorbs of which something is noted."""
    return {xorb for table in _TABLES for xorb in db.scalars(select(table.c.xorb).distinct())}


def forget(db: Connection, xorb: str) -> None:
    """Remove all that is noted of a xorb."""
    for table in _TABLES:
        db.execute(table.delete().where(table.c.xorb == xorb))
