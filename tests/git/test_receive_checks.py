"""What may not enter a repository, pushed as hand-made packs through ``serve_receive_pack``."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from dulwich.repo import Repo as GitRepo
from hypothesis import given, settings
from hypothesis import strategies as st

from glasshub.errors import Busy, Invalid
from glasshub.git.fsck import check_new_objects, check_tip, verify_repository
from glasshub.git.object_check import ObjectChecker, references
from glasshub.git.object_names import check_path_part
from glasshub.git.quarantine import Quarantine
from glasshub.git.receive_pack import Limits
from glasshub.git.recovery import QUARANTINE
from glasshub.git.refs import ATOMIC, TWICE, ZERO, RefUpdate
from tests.git import packs
from tests.git.packs import BLOB, COMMIT, PERSON, TAG, TREE, oid, pack_of, push_body, tree
from tests.git.receive_server import LIMITS, Receiver

pytestmark = pytest.mark.slow

MAIN = "refs/heads/main"


class Hub(Receiver):
    """A receiver without a network: bodies go in, the report comes out."""

    def push(self, *updates: tuple[str, str, str], sent: bytes = b"", capabilities: str = "report-status") -> list[str]:
        body = push_body(updates, sent, capabilities)
        return lines(b"".join(self.receive(io.BytesIO(body))))


def lines(answer: bytes) -> list[str]:
    """The pkt-lines of an answer as text; a flush is an empty string."""
    found = []
    while answer:
        size = int(answer[:4], 16)
        found.append(answer[4:size].decode().rstrip("\n"))
        answer = answer[max(size, 4) :]
    return found


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    (tmp_path / "hub.git").mkdir()
    GitRepo.init_bare(str(tmp_path / "hub.git")).close()
    receiver = Hub(tmp_path / "hub.git")
    yield receiver
    assert not (receiver.git_dir / QUARANTINE).exists()


@pytest.fixture
def main(hub: Hub) -> str:
    tip, sound = packs.sound_commit()
    assert hub.push((ZERO, tip.hex(), MAIN), sent=pack_of(*sound)) == ["unpack ok", f"ok {MAIN}", ""]
    return tip.hex()


def stored(hub: Hub) -> set[Path]:
    return set((hub.git_dir / "objects").rglob("*"))


def refused(hub: Hub, tip: bytes, *sent: tuple[int, bytes]) -> str:
    """Push objects as a branch and return why the hub did not take them; nothing of them stays."""
    refs, before = hub.refs(), stored(hub)
    report = hub.push((ZERO, tip.hex(), "refs/heads/new"), sent=pack_of(*sent))
    assert hub.refs() == refs
    assert stored(hub) == before
    assert report[1:] == ["ng refs/heads/new unpacker error", ""]
    return report[0].removeprefix("unpack ")


BLOB_ID = oid(BLOB, b"hello\n")
BAD_TREES = {
    ".git": ([(b"100644", b".git", BLOB_ID)], "taken for, .git"),
    ".GIT": ([(b"40000", b".GiT", BLOB_ID)], "taken for, .git"),
    "git~1": ([(b"40000", b"GIT~1", BLOB_ID)], "taken for, .git"),
    ".git with dots": ([(b"40000", b".git. .", BLOB_ID)], "taken for, .git"),
    ".git stream": ([(b"40000", b".git:x", BLOB_ID)], "taken for, .git"),
    ".git on HFS": ([(b"40000", ".g\u200dit".encode(), BLOB_ID)], "taken for, .git"),
    ".git behind a backslash": ([(b"100644", b"a\\.git\\config", BLOB_ID)], "taken for, .git"),
    ".": ([(b"100644", b".", BLOB_ID)], "named '.'"),
    "..": ([(b"40000", b"..", BLOB_ID)], "named '..'"),
    "empty": ([(b"100644", b"", BLOB_ID)], "named ''"),
    "a/b": ([(b"100644", b"a/b", BLOB_ID)], "slash"),
    "a\\..\\b": ([(b"100644", b"a\\..\\b", BLOB_ID)], "out of its folder"),
    "twice": ([(b"100644", b"a", BLOB_ID), (b"100644", b"a", BLOB_ID)], "appears twice"),
    "file and folder": (
        [(b"100644", b"a", BLOB_ID), (b"100644", b"a-", BLOB_ID), (b"40000", b"a", BLOB_ID)],
        "appears twice",
    ),
    "not sorted": ([(b"100644", b"b", BLOB_ID), (b"100644", b"a", BLOB_ID)], "not sorted"),
    "folder not sorted": ([(b"40000", b"a", BLOB_ID), (b"100644", b"a.b", BLOB_ID)], "not sorted"),
    "mode": ([(b"100600", b"a", BLOB_ID)], "unknown mode 100600"),
    "long mode": ([(b"0100644", b"a", BLOB_ID)], "unknown mode"),
    "no number": ([(b"x", b"a", BLOB_ID)], "unknown mode"),
    "no mode": ([(b"", b"a", BLOB_ID)], "unknown mode"),
    ".gitmodules link": ([(b"120000", b".gitmodules", BLOB_ID)], "symbolic link"),
    "cut id": ([(b"100644", b"a", BLOB_ID[:19])], "malformed"),
}


@pytest.mark.parametrize("name", BAD_TREES)
def test_trees_that_would_harm_a_clone_are_refused(hub: Hub, main: str, name: str):
    entries, reason = BAD_TREES[name]
    bad = tree(*entries)
    top = tree((b"40000", b"below", oid(TREE, bad)))
    tip = packs.commit(oid(TREE, top), bytes.fromhex(main))
    said = refused(hub, oid(COMMIT, tip), (BLOB, b"hello\n"), (TREE, top), (TREE, bad), (COMMIT, tip))
    assert reason in said
    assert oid(TREE, bad).hex() in said


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"tree 123\n",
        packs.commit(BLOB_ID).replace(b"tree ", b"TREE "),
        packs.commit(BLOB_ID, author=b"nobody"),
        packs.commit(BLOB_ID, author=b"a <b> yesterday +0000"),
        packs.commit(BLOB_ID, author=b"a <b> 1 UTC"),
        packs.commit(BLOB_ID, author=b"a <b> 99999999999999999999 +0000"),
        packs.commit(BLOB_ID, author=b"a\0 <b> 1 +0000"),
        packs.commit(BLOB_ID).replace(b"\nauthor", b"\nparent 12\nauthor"),
        packs.commit(BLOB_ID).replace(b"committer", b"author"),
    ],
)
def test_malformed_commits_are_refused(hub: Hub, data: bytes):
    said = refused(hub, oid(COMMIT, data), (COMMIT, data))
    assert said.startswith(f"commit {oid(COMMIT, data).hex()} is malformed")


@pytest.mark.parametrize("data", [b"", packs.tag(b"thing", BLOB_ID), packs.tag(b"blob", b"\1" * 3)])
def test_malformed_tags_are_refused(hub: Hub, data: bytes):
    assert "is malformed" in refused(hub, oid(TAG, data), (TAG, data))


def test_missing_objects_are_refused_and_named(hub: Hub, main: str):
    gone = "11" * 20
    tip, [blob, top, commit] = packs.sound_commit(b"other\n", bytes.fromhex(gone))
    said = refused(hub, tip, blob, top, commit)
    assert f"commit {tip.hex()} needs commit {gone}" in said
    tip, [blob, top, commit] = packs.sound_commit(b"other\n", bytes.fromhex(main))
    assert f"tree {oid(*top).hex()} needs blob {oid(*blob).hex()}" in refused(hub, tip, top, commit)
    assert f"commit {tip.hex()} needs tree {oid(*top).hex()}" in refused(hub, tip, commit)
    loose_tag = packs.tag(b"commit", b"\1" * 20)
    assert "needs commit" in refused(hub, oid(TAG, loose_tag), (TAG, loose_tag))


def test_objects_of_another_kind_than_told_are_refused(hub: Hub, main: str):
    """Both for what comes in the pack and for what the repository has."""
    _, known = packs.sound_commit()
    fresh_blob = (BLOB, b"fresh\n")
    for blob in (fresh_blob, known[0]):
        as_tree = packs.commit(oid(*blob))
        assert "needs tree" in refused(hub, oid(COMMIT, as_tree), fresh_blob, (COMMIT, as_tree))
        as_folder = tree((b"40000", b"d", oid(*blob)))
        tip = packs.commit(oid(TREE, as_folder))
        assert "needs tree" in refused(hub, oid(COMMIT, tip), fresh_blob, (TREE, as_folder), (COMMIT, tip))
        as_parent = packs.commit(oid(*known[1]), oid(*blob))
        assert "needs commit" in refused(hub, oid(COMMIT, as_parent), fresh_blob, (COMMIT, as_parent))
        as_tagged = packs.tag(b"commit", oid(*blob))
        assert "needs commit" in refused(hub, oid(TAG, as_tagged), fresh_blob, (TAG, as_tagged))
    as_file = tree((b"100644", b"f", bytes.fromhex(main)))
    tip = packs.commit(oid(TREE, as_file))
    assert "needs blob" in refused(hub, oid(COMMIT, tip), (TREE, as_file), (COMMIT, tip))


def test_the_same_id_as_file_and_as_folder_is_refused(hub: Hub):
    two = tree((b"100644", b"a", BLOB_ID), (b"40000", b"b", BLOB_ID))
    tip = packs.commit(oid(TREE, two))
    assert "needs tree" in refused(hub, oid(COMMIT, tip), (BLOB, b"hello\n"), (TREE, two), (COMMIT, tip))


def test_submodules_and_old_warts_are_taken(hub: Hub):
    empty = b""
    odd = tree(
        (b"100664", b"group", BLOB_ID),
        (b"120000", b"link", BLOB_ID),
        (b"160000", b"module", b"\7" * 20),
        (b"040000", b"padded", oid(TREE, empty)),
    )
    tip = packs.commit(oid(TREE, odd), author=b"<> 1 +051800")
    report = hub.push(
        (ZERO, oid(COMMIT, tip).hex(), MAIN),
        sent=pack_of((BLOB, b"hello\n"), (TREE, empty), (TREE, odd), (COMMIT, tip)),
    )
    assert report == ["unpack ok", f"ok {MAIN}", ""]
    with GitRepo(str(hub.git_dir)) as repo:
        assert verify_repository(repo) == []


def test_tips_must_be_there_and_lead_to_a_commit(hub: Hub, main: str):
    tip, sound = packs.sound_commit()
    blob, top, _ = (oid(*item).hex() for item in sound)
    good, of_blob = packs.tag(b"commit", tip), packs.tag(b"blob", oid(*sound[0]))
    of_good = packs.tag(b"tag", oid(TAG, good))
    sent = pack_of((TAG, good), (TAG, of_blob), (TAG, of_good))
    good, of_blob, of_good = (oid(TAG, data).hex() for data in (good, of_blob, of_good))
    wanted = {
        "refs/heads/absent": ("11" * 20, "was not sent and is not in the repo"),
        "refs/heads/blob": (blob, "is not a commit"),
        "refs/heads/tree": (top, "is not a commit"),
        "refs/heads/tag": (good, "is not a commit"),
        "refs/tags/blob": (blob, "is not a commit"),
        "refs/tags/tree": (top, "is not a commit"),
        "refs/tags/of-blob": (of_blob, "is not a commit"),
        "refs/tags/light": (main, ""),
        "refs/tags/good": (good, ""),
        "refs/tags/of-good": (of_good, ""),
        "refs/heads/good": (main, ""),
    }
    report = hub.push(*((ZERO, new, ref) for ref, (new, _) in wanted.items()), sent=sent)
    assert report[0] == "unpack ok"
    for said, (ref, (_, reason)) in zip(report[1:], wanted.items(), strict=False):
        assert said == f"ok {ref}" if not reason else said.startswith(f"ng {ref} ") and reason in said
    assert set(hub.refs()) == {MAIN, *(ref for ref, (_, reason) in wanted.items() if not reason)}


def test_what_waits_in_another_quarantine_is_not_there(hub: Hub):
    tip, sound = packs.sound_commit()
    on_top, [blob, top, commit] = packs.sound_commit(b"top\n", tip)
    with GitRepo(str(hub.git_dir)) as repo, Quarantine(repo) as waiting:
        many = [(BLOB, b"%d" % n) for n in range(100)]  # enough for a pack on disk
        waiting.receive(io.BytesIO(pack_of(*sound, *many)), LIMITS)
        check_new_objects(waiting)
        assert f"needs commit {tip.hex()}" in refused_beside(hub, on_top, blob, top, commit)
        report = hub.push((ZERO, tip.hex(), MAIN), sent=pack_of())
        assert "was not sent and is not in the repo" in report[1]


def refused_beside(hub: Hub, tip: bytes, *sent: tuple[int, bytes]) -> str:
    report = hub.push((ZERO, tip.hex(), MAIN), sent=pack_of(*sent))
    assert hub.refs() == {}
    return report[0]


def test_a_ref_named_twice_a_hidden_one_and_an_illegal_one_are_refused(hub: Hub, main: str):
    updates = [
        (ZERO, main, "refs/heads/twice"),
        (ZERO, main, "refs/heads/twice"),
        (ZERO, main, "refs/hub/events"),
        (ZERO, main, "refs/heads/a..b"),
        (ZERO, main, "HEAD"),
        (ZERO, main, "refs/heads/good"),
    ]
    report = hub.push(*updates, sent=pack_of())
    assert report[1:3] == [f"ng refs/heads/twice {TWICE}"] * 2
    assert report[3].startswith("ng refs/hub/events the hub keeps this ref")
    assert "not a legal ref name" in report[4]
    assert "not a legal ref name" in report[5]
    assert report[6] == "ok refs/heads/good"
    report = hub.push(
        *updates[2:5], (ZERO, main, "refs/heads/other"), sent=pack_of(), capabilities="report-status atomic"
    )
    assert report[-2] == f"ng refs/heads/other {ATOMIC}"
    assert set(hub.refs()) == {MAIN, "refs/heads/good"}


def test_deletions_carry_no_pack(hub: Hub, main: str):
    assert hub.push((main, ZERO, MAIN), (ZERO, ZERO, "refs/heads/none")) == [
        "unpack ok",
        f"ok {MAIN}",
        "ng refs/heads/none there is no such ref to delete",
        "",
    ]
    assert hub.refs() == {}


def test_without_report_status_nothing_is_reported(hub: Hub):
    tip, sound = packs.sound_commit()
    assert hub.push((ZERO, tip.hex(), MAIN), sent=pack_of(*sound), capabilities="delete-refs") == []
    assert hub.refs() == {MAIN: tip.hex()}


def test_an_empty_list_of_commands_is_answered(hub: Hub):
    assert b"".join(hub.receive(io.BytesIO(b"0000"))) == b"0000"
    assert b"".join(hub.receive(io.BytesIO(b""))) == b"0000"


def test_shallow_lines_and_push_options_are_read(hub: Hub):
    tip, sound = packs.sound_commit()
    command = f"{ZERO} {tip.hex()} {MAIN}\0report-status push-options object-format=sha1".encode()
    parts = [b"shallow " + b"1" * 40, command]
    body = b"".join(b"%04x%s" % (len(part) + 4, part) for part in parts) + b"0000"
    body += b"0007a=b" + b"0000" + pack_of(*sound)
    assert lines(b"".join(hub.receive(io.BytesIO(body)))) == ["unpack ok", f"ok {MAIN}", ""]
    assert hub.options == ["a=b"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"zzzz", "pkt-line"),
        (b"0003", "pkt-line"),
        (b"00ff" + b"x" * 10, "cut"),
        (b"000bhello\n\n", "makes no sense"),
        (push_body([(ZERO, "x" * 40, MAIN)], b""), "makes no sense"),
        (b"0011push-cert\0xyz0000", "--no-signed"),
        (push_body([(ZERO, ZERO, MAIN)], b"", "object-format=sha256"), "SHA-1"),
        (push_body([(ZERO, ZERO, f"refs/heads/{n}") for n in range(20_001)], b""), "lines"),
        (push_body([(ZERO, ZERO, f"refs/heads/{'x' * 60_000}") for n in range(200)], b""), "bytes before any pack"),
    ],
)
def test_requests_that_make_no_sense_are_told_so(hub: Hub, body: bytes, reason: str):
    [said] = lines(b"".join(hub.receive(io.BytesIO(body))))
    assert said.startswith("ERR ")
    assert reason in said


def test_what_the_door_raises_is_reported_for_every_ref(hub: Hub):
    def busy() -> None:
        raise Busy("This repo is busy with another write.\nTry again.")

    hub.before_apply = busy
    tip, sound = packs.sound_commit()
    assert hub.push((ZERO, tip.hex(), MAIN), sent=pack_of(*sound)) == [
        "unpack ok",
        f"ng {MAIN} This repo is busy with another write. Try again.",
        "",
    ]


def test_what_is_told_cannot_steer_the_terminal(hub: Hub):
    hub.said = ("red \x1b[31m alert \x9b2J\rover", "grün\tund\nzwei")

    def refuse() -> None:
        raise Invalid("no \x1b]0;title\x07")

    hub.before_apply = lambda: None
    tip, sound = packs.sound_commit()
    body = push_body([(ZERO, tip.hex(), MAIN)], pack_of(*sound), "report-status side-band-64k")
    said = b"".join(hub.receive(io.BytesIO(body))).decode()
    assert "red \ufffd[31m alert \ufffd2J\ufffdover" in said
    assert "grün\tund\nzwei" in said
    hub.before_apply = refuse
    assert hub.push((ZERO, tip.hex(), "refs/heads/b"), sent=pack_of())[1] == "ng refs/heads/b no \ufffd]0;title\ufffd"


def test_a_client_that_hangs_up_does_not_stop_what_has_begun(hub: Hub):
    hub.said = ("one", "two")
    tip, sound = packs.sound_commit()
    body = push_body([(ZERO, tip.hex(), MAIN)], pack_of(*sound), "report-status side-band-64k")
    answer = hub.receive(io.BytesIO(body))
    assert b"one" in next(answer)
    answer.close()
    assert hub.refs() == {MAIN: tip.hex()}


def test_a_long_report_is_split_into_bands(hub: Hub, main: str):
    updates = [(ZERO, main, f"refs/heads/{n:04}{'x' * 100}") for n in range(1000)]
    answer = b"".join(hub.receive(io.BytesIO(push_body(updates, pack_of(), "report-status side-band-64k atomic"))))
    report, rest = b"", answer
    while (size := int(rest[:4], 16)) > 0:
        assert size <= 65_520
        assert rest[4:5] == b"\1"
        report, rest = report + rest[5:size], rest[size:]
    assert rest == b"0000"
    assert lines(report) == ["unpack ok", *(f"ok {ref}" for _, _, ref in updates), ""]


def test_limits_are_told(hub: Hub):
    tip, sound = packs.sound_commit()
    hub.limits = Limits(wire=1 << 20, inflated=1 << 20, object=1 << 20, objects=2)
    assert "max_push_objects" in refused(hub, tip, *sound)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=30))
def test_no_good_name_is_dangerous(name: bytes):
    if not check_path_part(name):
        harmless = name.lower() in (b"git", b"...") or not name.strip(b" ")  # odd, but git takes them too
        assert harmless or name.lower().strip(b" .") not in (b"", b".git", b"git")
        assert b"/" not in name
        assert b"\0" not in name


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([COMMIT, TREE, BLOB, TAG]), st.binary(max_size=200))
def test_no_bytes_make_the_checker_raise_anything_else(kind: int, data: bytes):
    checker = ObjectChecker()
    try:
        checker.check(kind, oid(kind, data), data)
    except Invalid:
        return
    assert all(len(named) == 20 for _, named in references(kind, data))


def test_check_tip_of_hub_made_objects(hub: Hub, main: str):
    with GitRepo(str(hub.git_dir)) as repo, Quarantine(repo) as made:
        tip, sound = packs.sound_commit(b"made\n", bytes.fromhex(main))
        for obj in packs.as_objects(sound):
            made.add(obj)
        check_new_objects(made)
        assert check_tip(made, RefUpdate(main, tip.hex(), MAIN)) == ""
        assert check_tip(made, RefUpdate(main, ZERO, MAIN)) == ""
        assert "no object id" in check_tip(made, RefUpdate(main, "main", MAIN))
        assert "is not a commit" in check_tip(made, RefUpdate(main, oid(*sound[0]).hex(), MAIN))
    assert PERSON in sound[2][1]
