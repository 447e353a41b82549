"""A pull request as its pages show it: its commits against ``main``, and what merging it would come to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from dulwich.objects import Commit as GitCommit
from dulwich.objects import ObjectID
from dulwich.repo import Repo as GitRepo

from glasshub.conversation import Discussion
from glasshub.desk import MAIN, PULLS
from glasshub.git.ancestry import lookup
from glasshub.git.diff import FileChange, diff_commits
from glasshub.git.merge_outlook import Outlook, outlook
from glasshub.git.read import Commit
from glasshub.git.read import commit as read_commit
from glasshub.git.ref_store import ZERO, read_ref
from glasshub.git.squashed import commits_only_in, merge_base

MOST_COMMITS = 250
MOST_BYTES = 1024**2  # larger files are not compared


@dataclass(frozen=True)
class PullView:
    """One pull request and its repository, while that is open.

    Attributes:
        git: the repository.
        found: the pull request.
        ref: what its ``refs/pr/N`` names (``""`` once it is deleted).
        main: the commit that it is compared with: ``main``, or what that was before a merge.
        head: the commit that it proposes (``""`` when it is gone).
    """

    git: GitRepo
    found: Discussion
    ref: str
    main: str
    head: str

    @classmethod
    def open(cls, git: GitRepo, found: Discussion) -> PullView:
        """The pull request as it stands."""
        ref = _target(git, f"{PULLS}{found.number}")
        head = ref or found.head  # deleting the ref leaves the commits, as long as something names them
        if not _is_commit(git, head):
            head = ""
        main = found.merge.onto if found.merge else _target(git, MAIN)
        return cls(git, found, ref, main if _is_commit(git, main) else "", head)

    @property
    def number(self) -> int:
        """Its number."""
        return self.found.number

    @cached_property
    def base(self) -> str:
        """The commit on which it builds (``""``: none, or there is nothing to compare)."""
        if not self.main or not self.head:
            return ""
        return merge_base(self.git, self.main, self.head) or ""

    @cached_property
    def commits(self) -> list[Commit]:
        """Its commits, oldest first; the newest ones of more than :data:`MOST_COMMITS`."""
        if not self.head:
            return []
        ids = commits_only_in(self.git, self.head, self.main, limit=MOST_COMMITS)
        return [read_commit(self.git, oid) for oid in reversed(ids)]

    @cached_property
    def files(self) -> list[FileChange]:
        """The files that it changes, without their lines."""
        return self.changes(max_files=0)

    def changes(self, *, max_files: int, only: int | None = None) -> list[FileChange]:
        """The files that it changes against its base, as :func:`glasshub.git.diff.diff_commits` tells them."""
        if not self.head:
            return []
        return diff_commits(
            self.git, self.base or None, self.head, max_files=max_files, max_bytes=MOST_BYTES, only=only
        )

    @cached_property
    def outlook(self) -> Outlook | None:
        """What merging it would come to; ``None`` for one that cannot be merged as it is."""
        if self.found.status not in ("open", "draft") or not self.ref or not self.main:
            return None
        return outlook(self.git, self.main, self.ref)


def _target(git: GitRepo, ref: str) -> str:
    value = read_ref(git, ref)
    return "" if value == ZERO else value


def _is_commit(git: GitRepo, oid: str) -> bool:
    return len(oid) == 40 and isinstance(lookup(git.object_store, ObjectID(oid.encode("ascii"))), GitCommit)
