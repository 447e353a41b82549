"""The results of a model as they are shown: who is called verified was checked for it a moment ago."""

from __future__ import annotations

from collections.abc import Sequence

from glasshub import runners
from glasshub.access import Visibility
from glasshub.hub import Hub
from glasshub.index import queries
from glasshub.index.attester import Attester
from glasshub.index.rows import ResultRow


def of_model(hub: Hub, see: Visibility, key: str) -> list[ResultRow]:
    """:func:`glasshub.index.queries.results_of_model`, with the badges as of now."""
    return checked(hub, queries.results_of_model(hub.index.read(), see, key))


def checked(hub: Hub, results: Sequence[ResultRow]) -> list[ResultRow]:
    """The results; the token of each that the index calls verified is checked again, with the keys as of now.

    The index decides anew whenever something changes, a moment later. What is shown does not wait for that.
    """
    if not any(result.verified for result in results):
        return list(results)
    attester = Attester(hub.index.read(), {key.kid: key for key in runners.keys(hub)})
    return [_checked(attester, result) if result.verified else result for result in results]


def _checked(attester: Attester, result: ResultRow) -> ResultRow:
    found = attester.decide_at((result.model_key, result.pull, result.path, result.position))
    if found is None or found.state.value == result.badge:
        return result
    return result._replace(badge=found.state.value, badge_reason=found.reason, runner=found.runner)
