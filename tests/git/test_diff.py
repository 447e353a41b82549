"""Differences between commits, held against git's own: a patch made of them is applied by git."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from glasshub.errors import RevisionNotFound
from glasshub.git.build import Delete, Put, Signature, build_commit
from glasshub.git.diff import FileChange, diff_commits
from glasshub.git.quarantine import Quarantine
from glasshub.git.read import create_repo, open_repo
from tests.require import require

WHO = Signature("Ada", "ada@example.org", 1_700_000_000)


@pytest.fixture
def repo(tmp_path: Path):
    create_repo(tmp_path / "r.git")
    with open_repo(tmp_path / "r.git") as opened:
        yield opened


def commit(repo, parent: str | None, files: dict[str, bytes | None]) -> str:
    with Quarantine(repo) as made:
        operations = [Delete(path) if data is None else Put(path, data) for path, data in files.items()]
        oid = build_commit(made, parent, operations, message="Change", author=WHO)
        made.migrate()
    return oid


def patch(change: FileChange) -> bytes:
    """The change as git writes it."""
    lines = [f"diff --git a/{change.path} b/{change.path}", f"--- a/{change.path}", f"+++ b/{change.path}"]
    text = "\n".join(lines) + "\n"
    for hunk in change.hunks:
        text += hunk.header + "\n"
        for line in hunk.lines:
            text += f"{line.kind}{line.text}\n" + ("\\ No newline at end of file\n" if line.bare else "")
    return text.encode()


def applied(folder: Path, old: bytes, change: FileChange) -> bytes:
    folder.mkdir(exist_ok=True)
    (folder / change.path).write_bytes(old)
    command = [require("git"), "apply", "--whitespace=nowarn", "-"]
    subprocess.run(command, cwd=folder, input=patch(change), check=True, capture_output=True)
    return (folder / change.path).read_bytes()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"a\nb\nc\n", b"a\nB\nc\n"),
        (b"a\nb", b"a\nb\n"),
        (b"a\nb\n", b"a\nb"),
        (b"a\r\nb\r\n", b"a\nb\n"),
        (b"x\x0cy\x85z\n", b"x\x0cy\x85Z\n"),
        ("\u2028one\n".encode(), "\u2028two\n".encode()),
    ],
    ids=["middle", "end gained", "end lost", "line ends", "form feed", "line separator"],
)
def test_git_makes_the_new_file_of_the_old_one(repo, tmp_path: Path, old: bytes, new: bytes):
    first = commit(repo, None, {"f": old})
    (change,) = diff_commits(repo, first, commit(repo, first, {"f": new}))
    if b"\x85" not in old:  # shown, but as a replacement mark
        assert applied(tmp_path / "work", old, change) == new
    assert change.additions > 0
    assert change.deletions > 0


@pytest.mark.slow
def test_git_makes_the_new_file_of_the_old_one_for_any_text(repo, tmp_path: Path):
    pick = random.Random(3)
    for _ in range(40):
        old = [pick.choice("abcdef") for _ in range(pick.randrange(60))]
        new = [line if pick.random() > 0.2 else pick.choice("abcxyz") for line in old]
        for _ in range(pick.randrange(6)):
            new.insert(pick.randrange(len(new) + 1), pick.choice("abcxyz"))
        before, after = (("\n".join(side) + pick.choice(["", "\n"])).encode() for side in (old, new))
        first = commit(repo, None, {"f": before, "g": b"g"})
        found = diff_commits(repo, first, commit(repo, first, {"f": after}))
        if before == after:
            assert found == []
        else:
            assert applied(tmp_path / "work", before, found[0]) == after


def test_renames_are_found_by_content_and_by_likeness(repo):
    text = b"".join(b"line %d\n" % n for n in range(40))
    first = commit(repo, None, {"same": b"the same\n", "like": text, "other": b"nothing like it\n", "big": b"x" * 10})
    files = {"same": None, "moved/same": b"the same\n", "like": None, "moved/like": text + b"more\n"}
    second = commit(repo, first, {**files, "other": None, "fresh": b"quite another\n", "big": None})
    found = {change.path: change for change in diff_commits(repo, first, second)}
    assert {(c.kind, c.old_path, c.path) for c in found.values()} == {
        ("renamed", "same", "moved/same"),
        ("renamed", "like", "moved/like"),
        ("deleted", "other", "other"),
        ("deleted", "big", "big"),
        ("added", "", "fresh"),
    }
    assert (found["moved/like"].additions, found["moved/like"].deletions) == (1, 0)
    assert found["moved/same"].hunks == ()


def test_binary_files_large_files_and_too_many_files_are_named_but_not_compared(repo):
    first = commit(repo, None, {"a.bin": b"\0\1", "b.txt": b"b\n" * 600, "c.txt": b"c\n", "d.txt": b"d\n"})
    second = commit(
        repo, first, {"a.bin": b"\0\2", "b.txt": b"B\n" * 600, "c.txt": b"C\n", "d.txt": b"D\n", "latin": b"\xe9\n"}
    )
    found = {c.path: c for c in diff_commits(repo, first, second, max_files=4, max_bytes=1000)}
    assert found["a.bin"].binary
    assert found["b.txt"].too_large
    assert found["c.txt"].hunks[0].lines[0].text == "c"
    assert found["latin"].too_large
    assert [c.path for c in diff_commits(repo, first, second, only=3) if not c.too_large] == ["d.txt"]


def test_a_change_of_bytes_that_are_no_text_is_a_change(repo):
    first = commit(repo, None, {"latin": b"caf\xe9\n"})
    (change,) = diff_commits(repo, first, commit(repo, first, {"latin": b"caf\xe8\n"}))
    assert (change.additions, change.deletions) == (1, 1)


def test_unknown_commits_are_refused(repo):
    with pytest.raises(RevisionNotFound):
        diff_commits(repo, None, "0" * 40)
