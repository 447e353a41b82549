"""The tags of repos."""

from __future__ import annotations

from typing import Literal

from sqlite_utils import Database

from glasshub.access import Visibility
from glasshub.identity import RepoType
from glasshub.index.queries.visible import condition, parameters

MOST = 5_000
_What = Literal["", "pipeline_tag", "library"]


def tags(db: Database, see: Visibility, type: RepoType) -> list[tuple[str, _What]]:
    """The tags of what the reader may see, those of most repos first, at most :data:`MOST`.

    Beside each stands what it is by the cards of those repos, where the tag does not say so itself. Languages, which
    repos have as ``en`` and as ``language:en``, are told in the second form alone.
    """
    return db.execute(
        "SELECT tag, what FROM ("
        "SELECT t.tag AS tag, count(*) AS repos, max(CASE WHEN t.tag = r.pipeline_tag THEN 'pipeline_tag' "
        "WHEN t.tag = r.library_name THEN 'library' "
        "WHEN EXISTS (SELECT 1 FROM repo_tags l WHERE l.tag = 'language:' || t.tag AND l.key = t.key) THEN 'language' "
        "ELSE '' END) AS what "
        "FROM repo_tags t JOIN repos r ON r.key = t.key "
        f"WHERE r.type = :type AND {condition(see, 'r.scope', 'r.key')} GROUP BY t.tag"
        ") WHERE what != 'language' ORDER BY repos DESC, tag LIMIT :most",
        parameters(see, type=type, most=MOST),
    ).fetchall()
