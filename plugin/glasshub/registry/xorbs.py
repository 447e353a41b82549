"""Which repos use which xorbs."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, select

from glasshub.registry.tables import xorb_uses


def add(db: Connection, repo: str, xorbs: Collection[str]) -> None:
    """Note that a repo uses xorbs (hashes as text)."""
    wanted = sorted(set(xorbs))
    known = {xorb for xorb in wanted if repo in users(db, xorb)}
    rows = [{"xorb": xorb, "repo": repo} for xorb in wanted if xorb not in known]
    if rows:
        db.execute(xorb_uses.insert(), rows)


def users(db: Connection, xorb: str) -> list[str]:
    """The keys of the repos that use a xorb."""
    return list(db.scalars(select(xorb_uses.c.repo).where(xorb_uses.c.xorb == xorb).order_by(xorb_uses.c.repo)))
