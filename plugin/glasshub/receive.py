"""The one door: every write to a repo becomes ref updates that pass through :func:`apply_ref_updates`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from glasshub.git.quarantine import Quarantine
from glasshub.git.refs import RefResult, RefUpdate
from glasshub.hub import Hub
from glasshub.identity import Actor, Repo

Tell = Callable[[str], None]


def apply_ref_updates(
    hub: Hub,
    repo: Repo,
    updates: Sequence[RefUpdate],
    actor: Actor,
    *,
    incoming: Quarantine,
    atomic: bool = False,
    tell: Tell = lambda line: None,
) -> list[RefResult]:
    """Check, apply and index ref updates. The only function in the hub that moves a ref.

    Args:
        updates: what is asked for, each with the old id the caller saw.
        actor: who asks (access is checked here).
        incoming: the new objects; moved in only if at least one update is accepted.
        atomic: all or none.
        tell: called with lines for the person at the terminal.

    Returns:
        One result per update, in order; refused ones carry the reason. Never raises for a refused update.
    """
    raise NotImplementedError
