"""Looking at repos from outside, in registry and refs: cheap, and enough to tell whether the index is behind."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import Connection

from glasshub import snapshot
from glasshub.hub import Hub
from glasshub.identity import Account, Repo
from glasshub.index.snapshot import Observed, Owner, RepoFacts
from glasshub.registry import people
from glasshub.registry import repos as registry


def one(hub: Hub, key: str) -> Observed | None:
    """One repo as it is now; ``None`` when the registry has no such repo."""
    with hub.registry.read() as db:
        repo = registry.by_key(db, key)
        if repo is None:
            return None
        facts = _facts(hub, repo, registry.old_names(db, key), approved=registry.approved(db, key))
        owner = _owner(repo, people.find(db, repo.namespace))
    return _observed(hub, repo, facts, owner)


def every(hub: Hub) -> dict[str, Observed]:
    """All repos as they are now, by key: datasets first, since results wait for them."""
    with hub.registry.read() as db:
        repos = sorted(registry.every(db), key=lambda repo: (repo.type, repo.key))
        approved = registry.every_approved(db)
        accounts = _accounts(db)
        old_names: defaultdict[str, list[str]] = defaultdict(list)
        for key, lower in registry.every_old_name(db):
            old_names[key].append(lower)
    return {
        repo.key: _observed(
            hub,
            repo,
            _facts(hub, repo, old_names[repo.key], approved=repo.key in approved),
            _owner(repo, accounts.get(repo.namespace.lower())),
        )
        for repo in repos
    }


def owner(hub: Hub, name: str) -> Owner | None:
    """The account of that name as it is now."""
    with hub.registry.read() as db:
        account = people.find(db, name)
    return None if account is None else Owner(account.name, account.kind, account.full_name)


def _accounts(db: Connection) -> dict[str, Account]:
    return {account.name.lower(): account for kind in ("user", "org") for account in people.listing(db, kind)}


def _observed(hub: Hub, repo: Repo, facts: RepoFacts, owner: Owner) -> Observed:
    git_dir = hub.git_dir(repo)
    return Observed(git_dir, facts, owner, snapshot.list_refs(git_dir))


def _facts(hub: Hub, repo: Repo, old_names: list[str], *, approved: bool) -> RepoFacts:
    registered = approved or hub.settings.benchmarks == "open"
    return RepoFacts(
        repo.type, repo.namespace, repo.name, repo.private, repo.created_at, tuple(old_names), registered, repo.gated
    )


def _owner(repo: Repo, account: Account | None) -> Owner:
    if account is None:
        return Owner(repo.namespace, "user", "")
    return Owner(account.name, account.kind, account.full_name)
