"""What webhooks have been told of each repo: one text per repo."""

from __future__ import annotations

from sqlalchemy import Connection, select

from glasshub.registry.tables import announced


def state(db: Connection, key: str) -> str:
    """What was written for a repo (``""``: nothing)."""
    return db.scalar(select(announced.c.state).where(announced.c.key == key)) or ""


def keys(db: Connection) -> set[str]:
    """The repos for which something is written."""
    return set(db.scalars(select(announced.c.key)))


def write(db: Connection, key: str, text: str) -> None:
    """Replace what is written for a repo; ``""`` removes it."""
    if text and db.execute(announced.update().where(announced.c.key == key).values(state=text)).rowcount:
        return
    if text:
        db.execute(announced.insert().values(key=key, state=text))
    else:
        db.execute(announced.delete().where(announced.c.key == key))
