"""Where a commit by API goes."""

from __future__ import annotations

from dulwich.repo import Repo as GitRepo

from glasshub import access
from glasshub.access import Action
from glasshub.desk import MAIN, PULLS
from glasshub.edits import BRANCHES
from glasshub.errors import Invalid, RevisionNotFound
from glasshub.git.read import list_refs
from glasshub.identity import Repo
from glasshub.index import queries
from glasshub.web.api.arguments import flag
from glasshub.web.context import actor, hub


def find_target(repo: Repo, revision: str) -> str:
    """The ref that is to be committed to, if the caller may (asked again under the lock, but before files are sent)."""
    ref = revision if revision.startswith("refs/") else f"{BRANCHES}{revision}"
    if flag("create_pr"):
        access.require(actor(), Action.DISCUSS, repo)
        if not ref.startswith(BRANCHES):
            raise RevisionNotFound(f"Revision Not Found: {revision[:100]!r} is no branch to open a pull request to.")
    elif ref.startswith(PULLS):
        _require_may_push(repo, ref)
    else:
        access.require(actor(), Action.WRITE, repo)
    return ref


def _require_may_push(repo: Repo, ref: str) -> None:
    number = ref.removeprefix(PULLS)
    known = number.isascii() and number.isdigit() and len(number) < 10
    found = queries.discussion(hub().index.read(), repo.key, int(number)) if known else None
    if found is None or not found.is_pull:
        raise RevisionNotFound(f"Revision Not Found: there is no pull request {number[:40]!r} here.")
    access.require(actor(), Action.PUSH_PULL, repo, author=found.author)


def find_tip(git: GitRepo, ref: str) -> str:
    """The commit of the ref (``""``: ``main`` of an empty repo, or a pull request without commits)."""
    tip = list_refs(git, ref).get(ref, "")
    if flag("create_pr") and tip and ref != MAIN:
        raise Invalid("Pull requests of this hub go to main. Open this one to main.")
    if not tip and not ref.startswith(PULLS) and (ref != MAIN or list_refs(git, BRANCHES)):
        raise RevisionNotFound(f"Revision Not Found: there is no branch {ref.removeprefix(BRANCHES)[:100]!r} here.")
    return tip
