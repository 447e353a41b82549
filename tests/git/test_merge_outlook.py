"""What a merge would come to is known before it is made, and looking changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from glasshub.errors import RevisionNotFound
from glasshub.git.build import Put, Signature, build_commit
from glasshub.git.merge_outlook import Outlook, outlook
from glasshub.git.quarantine import Quarantine
from glasshub.git.read import create_repo, open_repo

WHO = Signature("Ada", "ada@example.org", 1_700_000_000)


def commit(repo, parent: str | None, **files: str) -> str:
    with Quarantine(repo) as made:
        puts = [Put(name, text.encode()) for name, text in files.items()]
        oid = build_commit(made, parent, puts, message="Change", author=WHO)
        made.migrate()
    return oid


@pytest.fixture
def repo(tmp_path: Path):
    create_repo(tmp_path / "r.git")
    with open_repo(tmp_path / "r.git") as opened:
        yield opened


def test_the_outlook_tells_fast_forwards_merges_and_conflicts_apart(repo):
    base = commit(repo, None, a="1\n2\n3\n4\n5\n", b="x\n")
    main = commit(repo, base, a="1\n2\n3\n4\nfive\n")
    aside, against = commit(repo, base, b="y\n"), commit(repo, base, a="1\n2\n3\n4\nFIVE\n", c="new\n")
    assert outlook(repo, base, main) == Outlook(fast_forward=True)
    assert outlook(repo, main, base) == Outlook(merged=True)
    assert outlook(repo, main, aside) == Outlook()
    assert outlook(repo, main, against) == Outlook(conflicts=("a",))
    with pytest.raises(RevisionNotFound):
        outlook(repo, main, "0" * 40)


def test_looking_leaves_no_object_behind(repo):
    base = commit(repo, None, a="1\n", b="x\n")
    main, head = commit(repo, base, a="2\n"), commit(repo, base, b="y\n")
    before = sorted(path for path in Path(repo.controldir()).rglob("*") if path.is_file())
    for _ in range(2):
        assert outlook(repo, main, head) == Outlook()
    assert sorted(path for path in Path(repo.controldir()).rglob("*") if path.is_file()) == before
