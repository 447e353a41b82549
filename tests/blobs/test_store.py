"""Content is stored whole and right, or not at all."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import os
import random
import signal
import time
from pathlib import Path

import pytest

from glasshub.blobs.store import LocalStore
from glasshub.blobs.writing import LARGE
from glasshub.errors import Invalid, NotFound, TooLarge
from tests.index import children

DATA = random.Random(1).randbytes(300_000)
NAME = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "blobs")


def _left(tmp_path: Path) -> list[str]:
    return [path.name for path in (tmp_path / "blobs" / "incoming").iterdir()]


def test_what_is_stored_reads_back_in_whole_and_in_part(store: LocalStore, tmp_path: Path):
    assert store.receive("files", NAME, io.BytesIO(DATA), size=len(DATA))
    assert not store.receive("files", NAME, io.BytesIO(DATA), size=len(DATA))
    assert store.size("files", NAME) == len(DATA)
    assert b"".join(store.stream("files", NAME)) == DATA
    assert b"".join(store.stream("files", NAME, 10, 20)) == DATA[10:20]
    assert b"".join(store.stream("files", NAME, 299_990)) == DATA[-10:]
    assert _left(tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("size", [LARGE, LARGE + 3 * 1024**2 + 17])
def test_large_content_is_whole_wherever_it_ends(store: LocalStore, tmp_path: Path, size: int):
    data = random.Random(size).randbytes(size)
    name = hashlib.sha256(data).hexdigest()
    assert store.receive("files", name, io.BytesIO(data), size=size)
    assert store.path("files", name).read_bytes() == data
    for sent in (data[:-1], data + b"x", data[:-4096], b"y" + data[1:]):
        with pytest.raises((Invalid, TooLarge)):
            store.receive("files", "0" * 64, io.BytesIO(sent), size=size)
    assert _left(tmp_path) == []


@pytest.mark.slow
def test_a_file_system_that_refuses_direct_writes_gets_others(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """Some say only at the first write that they cannot. None of them can be mounted here."""
    real, refused = os.pwrite, []

    def pwrite(file: int, data: memoryview, at: int) -> int:
        if fcntl.fcntl(file, fcntl.F_GETFL) & os.O_DIRECT:
            refused.append(at)
            raise OSError(errno.EINVAL, "Invalid argument")
        return real(file, data, at)

    monkeypatch.setattr(os, "pwrite", pwrite)
    data = random.Random(2).randbytes(LARGE + 5)
    name = hashlib.sha256(data).hexdigest()
    assert store.receive("files", name, io.BytesIO(data), size=len(data))
    assert store.path("files", name).read_bytes() == data
    assert refused == [0]


def test_reading_uses_small_buffers(store: LocalStore):
    store.receive("files", NAME, io.BytesIO(DATA), size=len(DATA))  # from 256 KiB on, each is paid for page by page
    assert max(len(piece) for piece in store.stream("files", NAME)) <= 128 * 1024


@pytest.mark.parametrize(
    ("sent", "announced", "error"),
    [(DATA[:-1], len(DATA), Invalid), (DATA + b"x", len(DATA), TooLarge), (b"y" + DATA[1:], len(DATA), Invalid)],
    ids=["short", "long", "other"],
)
def test_what_is_not_what_was_announced_leaves_nothing(
    store: LocalStore, tmp_path: Path, sent: bytes, announced: int, error: type[Exception]
):
    with pytest.raises(error):
        store.receive("files", NAME, io.BytesIO(sent), size=announced)
    assert store.size("files", NAME) is None
    assert _left(tmp_path) == []


def test_parts_are_joined_in_order_and_can_be_sent_again(store: LocalStore, tmp_path: Path):
    upload = store.begin()
    cut = [DATA[:100_000], DATA[100_000:200_000], DATA[200_000:]]
    store.part(upload, 2, io.BytesIO(b"z" * 100_000), at=100_000, size=100_000)
    tags = [
        (n, store.part(upload, n, io.BytesIO(part), at=100_000 * (n - 1), size=len(part)))
        for n, part in enumerate(cut, start=1)
    ]
    with pytest.raises(Invalid, match="Part 1"):
        store.complete(upload, tags[1:], "files", NAME, size=len(DATA))
    with pytest.raises(Invalid, match="Part 3"):
        store.complete(upload, [*tags[:2], (3, "0" * 32)], "files", NAME, size=len(DATA))
    assert store.complete(upload, tags[::-1], "files", NAME, size=len(DATA))
    assert not store.complete(upload, tags, "files", NAME, size=len(DATA))
    assert b"".join(store.stream("files", NAME)) == DATA
    assert _left(tmp_path) == []


def test_a_part_that_was_lost_with_the_machine_is_missed_and_can_be_sent_again(store: LocalStore, tmp_path: Path):
    """Parts are acknowledged before they are on the disk; the whole is not."""
    upload = store.begin()
    half = len(DATA) // 2
    tags = [
        (n, store.part(upload, n, io.BytesIO(DATA[at : at + half]), at=at, size=half)) for n, at in ((1, 0), (2, half))
    ]
    whole = tmp_path / "blobs" / "incoming" / upload / "whole"
    whole.write_bytes(DATA[:half] + bytes(half))
    with pytest.raises(Invalid, match="Upload it again"):
        store.complete(upload, tags, "files", NAME, size=len(DATA))
    assert store.size("files", NAME) is None
    tags[1] = (2, store.part(upload, 2, io.BytesIO(DATA[half:]), at=half, size=half))
    assert store.complete(upload, tags, "files", NAME, size=len(DATA))
    assert b"".join(store.stream("files", NAME)) == DATA


@pytest.mark.slow
@pytest.mark.parametrize("step", ["pwrite", "fsync"])
def test_a_death_while_large_content_is_stored_leaves_nothing_under_the_name(store: LocalStore, step: str):
    data = random.Random(3).randbytes(LARGE)
    name = hashlib.sha256(data).hexdigest()

    def die() -> None:
        children.die_at(os, step, after=False)
        store.receive("files", name, io.BytesIO(data), size=len(data))

    assert children.wait(children.start(die)) == -signal.SIGKILL
    assert store.size("files", name) is None
    assert store.receive("files", name, io.BytesIO(data), size=len(data))
    assert b"".join(store.stream("files", name)) == data


@pytest.mark.parametrize("name", ["../../etc/passwd", "x" * 64, NAME[:-1], NAME + "0", ""])
def test_names_are_hashes_and_nothing_else(store: LocalStore, name: str):
    with pytest.raises(NotFound):
        store.path("files", name)
    with pytest.raises(NotFound):
        store.part("../x", 1, io.BytesIO(b""), at=0, size=0)


def test_a_death_while_storing_leaves_nothing_under_the_name(store: LocalStore, tmp_path: Path):
    for owner, step in ((os, "fsync"), (Path, "replace")):

        def die(owner: object = owner, step: str = step) -> None:
            children.die_at(owner, step, after=False)
            store.receive("files", NAME, io.BytesIO(DATA), size=len(DATA))

        assert children.wait(children.start(die)) == -signal.SIGKILL
        assert store.size("files", NAME) is None
    assert len(_left(tmp_path)) == 2
    assert store.sweep() == 0
    for path in (tmp_path / "blobs" / "incoming").iterdir():
        os.utime(path, (time.time() - 10**6,) * 2)
    assert store.sweep() == 2
