"""Commits made in the hub: on branches, on pull requests, as new ones; again, at once, and too late."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from glasshub import discussions, edits
from glasshub.edits import Edit
from glasshub.errors import (
    Conflict,
    EntryNotFound,
    Forbidden,
    Invalid,
    PreconditionFailed,
    RevisionNotFound,
    Unauthenticated,
)
from glasshub.git import read
from glasshub.git.blob_pack import BlobPack
from glasshub.git.build import Delete, Place, Put
from glasshub.git.pack_read import Limits
from glasshub.git.quarantine import Quarantine
from glasshub.identity import ANONYMOUS
from tests.index.town import MAIN

pytestmark = pytest.mark.slow

PLENTY = Limits(2**40, 2**40, 2**40, 2**20)


@pytest.fixture
def model(village):
    made = village.repo("model", "ada/m")
    edits.commit(village.hub, made, village.actor("ada"), Edit([Put("README.md", b"# M\n")], "Begin"), ref=MAIN)
    return made


def commit(village, model, who, *operations, ref=MAIN, **fields):
    edit = Edit(operations, fields.pop("summary", "Change"), **fields)
    return edits.commit(village.hub, model, village.actor(who) if who else ANONYMOUS, edit, ref=ref)


def tip(village, model, ref=MAIN) -> str:
    with read.open_repo(village.hub.git_dir(model)) as git:
        return read.list_refs(git).get(ref, "")


def text(village, model, path, ref=MAIN) -> bytes:
    with read.open_repo(village.hub.git_dir(model)) as git:
        return read.read_file(git, read.list_refs(git)[ref], path)


def test_who_may_commit_to_main(village, model):
    for who, error in ((None, Unauthenticated), ("eve", Forbidden)):
        with pytest.raises(error):
            commit(village, model, who, Put("a", b"1"))
    made = commit(village, model, "ada", Put("a", b"1"), description="Because.")
    assert tip(village, model) == made.commit
    with read.open_repo(village.hub.git_dir(model)) as git:
        said = read.commit(git, made.commit)
    assert (said.author_name, said.author_email) == ("ada", "ada@users.noreply.localhost")
    assert said.message == "Change\n\nBecause.\n"


def test_an_edit_on_an_old_page_is_refused_and_short_ids_do(village, model):
    before = tip(village, model)
    after = commit(village, model, "ada", Put("a", b"1"), parent=before[:7]).commit
    with pytest.raises(PreconditionFailed, match="updated since you opened this page"):
        commit(village, model, "ada", Put("a", b"2"), parent=before)
    assert tip(village, model) == after


def test_the_same_edit_again_makes_no_second_commit(village, model):
    before = tip(village, model)
    operations = (Put("a", b"1"), Delete("README.md"))
    first = commit(village, model, "ada", *operations, parent=before)
    assert commit(village, model, "ada", *operations, parent=before) == first
    assert commit(village, model, "ada", *operations) == first
    with pytest.raises(EntryNotFound):
        commit(village, model, "ada", *operations, summary="Another thing")
    assert commit(village, model, "ada", Put("a", b"1"), summary="Nothing new") == first
    assert tip(village, model) == first.commit


def test_branches_must_exist_and_other_refs_take_no_commits(village, model):
    with pytest.raises(RevisionNotFound):
        commit(village, model, "ada", Put("a", b"1"), ref="refs/heads/dev")
    for ref in ("refs/tags/v1", "refs/hub/events", "HEAD"):
        with pytest.raises(Forbidden):
            commit(village, model, "ada", Put("a", b"1"), ref=ref)
    empty = village.repo("model", "ada/empty")
    with pytest.raises(RevisionNotFound):
        commit(village, empty, "ada", Put("a", b"1"), ref="refs/heads/dev")


def test_anybody_who_reads_proposes_and_the_author_goes_on(village, model):
    actor = village.actor("eve")
    edit = Edit([Put("b", b"1")], "Add b\nwith care", "Since it was missing.")
    made = edits.propose(village.hub, model, actor, edit)
    pull = village.discussions(model)[made.pull]
    assert (pull.title, pull.author, pull.status) == ("Add b", "eve", "open")
    assert next(iter(pull.comments.values())).body == "with care\n\nSince it was missing."
    ref = f"refs/pr/{made.pull}"
    assert tip(village, model, ref) == made.commit
    later = commit(village, model, "eve", Put("b", b"2"), ref=ref)
    assert village.discussions(model)[made.pull].head == later.commit
    commit(village, model, "ada", Put("b", b"3"), ref=ref, summary="Help")
    with pytest.raises(Forbidden):
        commit(village, model, "mo", Put("b", b"4"), ref=ref)
    village.decide(model, "ada", discussions.set_status, number=made.pull, status="closed")
    with pytest.raises(Conflict, match="closed"):
        commit(village, model, "eve", Put("b", b"5"), ref=ref)
    assert text(village, model, "b", ref) == b"3"


def test_a_proposal_may_start_from_an_older_commit_but_must_change_something(village, model):
    old = tip(village, model)
    commit(village, model, "ada", Put("README.md", b"# New\n"))
    edit = Edit([Put("c", b"1")], "Add c", parent=old)
    made = edits.propose(village.hub, model, village.actor("eve"), edit)
    assert text(village, model, "README.md", f"refs/pr/{made.pull}") == b"# M\n"
    with pytest.raises(Invalid, match="changes nothing"):
        edits.propose(village.hub, model, village.actor("eve"), Edit([Put("README.md", b"# New\n")], "No"))


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        (Put("../x", b""), Invalid),
        (Put(".git/config", b""), Invalid),
        (Put("/x", b""), Invalid),
        (Put("README.md/x", b""), Invalid),
        (Delete("nope"), EntryNotFound),
        (Delete(""), Invalid),
    ],
)
def test_hostile_paths_change_nothing(village, model, operation, error):
    before = tip(village, model)
    with pytest.raises(error):
        commit(village, model, "ada", Put("fine", b"1"), operation)
    assert tip(village, model) == before


def test_messages_have_limits(village, model):
    for fields in ({"summary": " \n"}, {"summary": "x" * 1001}, {"description": "x" * 70_000}):
        with pytest.raises(Invalid):
            commit(village, model, "ada", Put("a", b"1"), **fields)


def test_edits_at_once_all_arrive(village, model):
    def edit(number):
        return commit(village, model, "ada", Put(f"n/{number}", b"%d" % number), summary=f"Add {number}").commit

    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(edit, range(16)))
    assert len(made) == 16
    with read.open_repo(village.hub.git_dir(model)) as git:
        assert len(read.list_tree(git, tip(village, model), "n")) == 16


def test_large_and_many_blobs_go_by_a_pack(village, model, tmp_path):
    commit(village, model, "ada", Put("run.sh", b"#!", executable=True))
    pieces = [bytes([n]) * 1_000_000 for n in range(10)]
    with read.open_repo(village.hub.git_dir(model)) as git, Quarantine(git) as incoming, BlobPack(tmp_path) as pack:
        big = pack.add(10_000_000, pieces)
        small = [pack.add(1, [bytes([n % 50])]) for n in range(100)]
        script = pack.add(3, [b"#!2"])
        assert list(tmp_path.iterdir()) == [village.hub.settings.data]
        pack.deliver(incoming, PLENTY)
        placed = [Place("big", big), Place("run.sh", script), *(Place(f"s/{n}", oid) for n, oid in enumerate(small))]
        edit = partial(edits.commit, ref=MAIN, incoming=incoming)
        edit(village.hub, model, village.actor("ada"), Edit(placed, "Upload"))
    assert text(village, model, "big") == b"".join(pieces)
    assert text(village, model, "s/51") == b"\1"
    with read.open_repo(village.hub.git_dir(model)) as git:
        assert read.entry(git, tip(village, model), "run.sh").mode == 0o100755
