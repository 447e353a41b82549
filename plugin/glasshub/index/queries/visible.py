"""Visibility as SQL: which rows exist for a reader, and how many stand on each leaderboard for them."""

from __future__ import annotations

import json
from typing import Any

from glasshub.access import Visibility
from glasshub.weights.sizes import SizeRange

_MOST = 2**63 - 1


def condition(see: Visibility, scope: str, key: str) -> str:
    """SQL that is true for what the reader may see; uses the named parameters of :func:`parameters`.

    Args:
        see: the reader's visibility.
        scope: the column with the repo's scope (``""`` when public).
        key: the column with the repo's key.
    """
    private = private_condition(see, scope, key)
    return f"({scope} = '' OR {private})" if private != "FALSE" else f"{scope} = ''"


def private_condition(see: Visibility, scope: str, key: str) -> str:
    """SQL that is true for the private things among them."""
    if not see.everything and not see.namespaces:
        return "FALSE"
    member = f"{scope} != ''" if see.everything else f"{scope} IN (SELECT value FROM json_each(:see_namespaces))"
    return member if see.only_repos is None else f"({member} AND {key} IN (SELECT value FROM json_each(:see_only)))"


def parameters(see: Visibility, **more: object) -> dict[str, Any]:
    """The named parameters of the conditions, and ``more``."""
    return {"see_namespaces": json.dumps(see.namespaces), "see_only": json.dumps(see.only_repos or ()), **more}


def sized(key: str, size: SizeRange | None) -> str:
    """SQL that is true for models within a range of sizes (``key``: the column with the model's key).

    Models of unknown size are outside of every range. It uses the named parameters of :func:`sizes`.
    """
    if size is None:
        return "TRUE"
    return f"{key} IN (SELECT key FROM model_facts WHERE total BETWEEN :size_least AND :size_most)"


def sizes(size: SizeRange | None) -> dict[str, Any]:
    """The named parameters of :func:`sized`."""
    if size is None:
        return {}
    return {"size_least": size.least or 0, "size_most": _MOST if size.most is None else size.most}


def counts(see: Visibility, where: str) -> str:
    """A ``SELECT`` of ``dataset_key, task_id, models, derived, results`` over models that the reader may see.

    Per task, and with an empty ``task_id`` per benchmark. Datasets are not filtered here.

    Args:
        see: the reader's visibility.
        where: SQL over ``dataset_key`` and ``task_id``.
    """
    if not see.everything and not see.namespaces:
        # One audience, one row: nothing to add up, and the caller's conditions reach the primary key.
        return f"SELECT dataset_key, task_id, models, derived, results FROM board_counts WHERE scope = '' AND {where}"
    if see.only_repos is None:
        visible = condition(see, "scope", "NULL")
        parts = f"SELECT * FROM board_counts WHERE {visible}"
    else:
        # A token for some repos sees a few private models: counting those by hand is quick.
        own = private_condition(see, "scope", "model_key")
        parts = (
            "SELECT * FROM board_counts WHERE scope = '' UNION ALL "
            f"SELECT dataset_key, task_id, scope, 1 - derived, derived, reports FROM headlines WHERE {own} UNION ALL "
            "SELECT dataset_key, '', scope, 1 - derived, derived, sum(reports) FROM headlines "
            f"WHERE {own} GROUP BY dataset_key, model_key"
        )
    return (
        "SELECT dataset_key, task_id, sum(models) AS models, sum(derived) AS derived, sum(results) AS results "
        f"FROM ({parts}) WHERE {where} GROUP BY dataset_key, task_id"
    )
