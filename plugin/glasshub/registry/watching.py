"""Which repos people watch or ignore, and how far they have read, in the registry."""

from __future__ import annotations

from sqlalchemy import Connection, select

from glasshub.names import folded
from glasshub.registry.tables import seen, watching

EVERYTHING = -1  # stands for all discussions of a repo


def states(db: Connection, account: str) -> dict[str, str]:
    """What an account has chosen: repo key -> watch or ignore."""
    rows = db.execute(select(watching.c.repo, watching.c.state).where(watching.c.account == folded(account)))
    return {row.repo: row.state for row in rows}


def set_state(db: Connection, account: str, repo: str, state: str) -> None:
    """Choose watch or ignore; ``""`` takes the choice back."""
    mine = (watching.c.account == folded(account)) & (watching.c.repo == repo)
    db.execute(watching.delete().where(mine))
    if state:
        db.execute(watching.insert().values(account=folded(account), repo=repo, state=state))


def marks(db: Connection, account: str) -> dict[tuple[str, int], int]:
    """How far an account has read: (repo key, number) -> place of the last event seen."""
    rows = db.execute(select(seen.c.repo, seen.c.number, seen.c.place).where(seen.c.account == folded(account)))
    return {(row.repo, row.number): row.place for row in rows}


def mark(db: Connection, account: str, repo: str, number: int, place: int) -> None:
    """An account has read a discussion (or :data:`EVERYTHING`) up to this place; never less than before."""
    mine = (seen.c.account == folded(account)) & (seen.c.repo == repo)
    one = mine & (seen.c.number == number)
    before = db.scalar(select(seen.c.place).where(one))
    if before is not None and before >= place:
        return
    db.execute(seen.delete().where(mine & (seen.c.place <= place) if number == EVERYTHING else one))
    db.execute(seen.insert().values(account=folded(account), repo=repo, number=number, place=place))
