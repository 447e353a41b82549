"""What exports ask beyond what pages do: which models have results, and whether anything has changed."""

from __future__ import annotations

import hashlib

from sqlite_utils import Database

from glasshub.access import Visibility
from glasshub.index import schema
from glasshub.index.queries.visible import condition, parameters

_STATE = (
    "SELECT key, facts FROM indexed ORDER BY key",
    "SELECT key, name, target FROM refs ORDER BY key, name",
    "SELECT lower, name, full_name FROM namespaces ORDER BY lower",
)


def models_with_results(db: Database, see: Visibility, key: str = "") -> list[tuple[str, tuple[bool, int | None]]]:
    """Key of each model with results (or only of one), whether it builds on another, and its parameters, by name."""
    rows = db.execute(
        "SELECT m.key, m.derived, f.total FROM repos m LEFT JOIN model_facts f ON f.key = m.key WHERE m.type = 'model' "
        f"AND {'m.key = :key' if key else 'TRUE'} "
        "AND EXISTS (SELECT 1 FROM results r WHERE r.model_key = m.key) "
        f"AND {condition(see, 'm.scope', 'm.key')} ORDER BY m.lower, m.key",
        parameters(see, key=key),
    )
    return [(key, (bool(derived), total)) for key, derived, total in rows]


def state(db: Database) -> str:
    """A hash of everything that the index follows from: as long as it is the same, so are all rows."""
    digest = hashlib.sha256(str(schema.VERSION).encode())
    for query in _STATE:
        for row in db.execute(query):
            digest.update("\0".join(row).encode("utf-8", "surrogatepass"))
            digest.update(b"\n")
    return digest.hexdigest()
