"""What a pull request says of a model's results: the entries of the files that it adds or changes.

It is compared with the merge base, so that a pull request that falls behind ``main`` never seems to delete or change
what came to ``main`` meanwhile; what ``main`` says just the same is not proposed, and neither is what the pull request
has from its base.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from threading import Lock

from cachetools import LRUCache, cached
from dulwich.repo import Repo as GitRepo

from glasshub.evals.problems import Problem
from glasshub.git.squashed import merge_base
from glasshub.index.snapshot import FileResult
from glasshub.result_files import REMEMBERED, list_result_files, read_results


@dataclass(frozen=True, slots=True)
class Proposal:
    """The results that a head proposes to add, those of the files it changed that it leaves out, and problems.

    ``base`` is the merge base with ``main`` (``""`` when there is none); ``paths`` the result files that differ from
    it, ``removed`` results of the base in those files that the head no longer has.
    """

    base: str = ""
    paths: tuple[str, ...] = ()
    added: tuple[FileResult, ...] = ()
    removed: tuple[FileResult, ...] = ()
    problems: tuple[Problem, ...] = ()


def _key(repo: GitRepo, main: str, head: str, **_: Collection[str] | None) -> tuple[str, str, str]:
    return repo.path, main, head  # what is on main follows from its commit


@cached(LRUCache(REMEMBERED, getsizeof=lambda found: 1 + len(found.added)), key=_key, lock=Lock())
def read_proposal(repo: GitRepo, main: str, head: str, *, on_main: Collection[str] | None = None) -> Proposal:
    """Compare ``head`` with ``main``.

    Args:
        repo: the repository.
        main: the commit of ``main`` (``""`` when it has none).
        head: the commit of the pull request.
        on_main: the ids of the results on ``main``, if they are known already.
    """
    base = merge_base(repo, main, head) if main else None
    before = {entry.path: entry.oid for entry in list_result_files(repo, base)} if base else {}
    after = {entry.path: entry.oid for entry in list_result_files(repo, head)}
    paths = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    if not paths:
        return Proposal(base or "")
    here = read_results(repo, head, only=set(paths) & after.keys())
    there = read_results(repo, base, only=set(paths) & before.keys()) if base else None
    if on_main is None:
        on_main = {result.id for result in read_results(repo, main).results} if main else ()
    kept = {result.id for result in here.results}
    inherited = there.results if there else ()
    known = {*on_main, *(result.id for result in inherited)}
    return Proposal(
        base or "",
        tuple(paths),
        tuple(result for result in here.results if result.id not in known),
        tuple(result for result in inherited if result.id not in kept),
        here.problems,
    )
