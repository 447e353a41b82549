"""``glasshub maintain --prune``: what nobody needs goes, and what anybody may still need stays, whatever happens."""

from __future__ import annotations

import hashlib
import io
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from glasshub import large_files, pruning, repos, xet
from glasshub.blobs.pointer import Pointer
from glasshub.blobs.xet import content
from glasshub.errors import Conflict, Invalid, NotFound
from glasshub.hub import Hub
from glasshub.identity import Repo
from tests.xet.builder import CHUNKS, bring, person, repo, shard_of, xorb_of

pytestmark = pytest.mark.slow

KINDS = ("files", "recipes", "xorbs", "xorb_indexes")


def age(hub: Hub, days: float) -> None:
    """Let everything in the store be as old as that."""
    then = time.time() - days * 24 * 3600
    for path in (hub.settings.data / "blobs").glob("*/*/*/*"):
        os.utime(path, (then, then))


def stored(hub: Hub) -> dict[str, int]:
    return {kind: len(list((hub.settings.data / "blobs" / kind).glob("*/*/*"))) for kind in KINDS}


def bring_plain(hub: Hub, to: Repo, data: bytes) -> Pointer:
    pointer = Pointer(hashlib.sha256(data).hexdigest(), len(data))
    large_files.receive(hub, to, to.namespace, pointer, io.BytesIO(data))
    return pointer


def delete(hub: Hub, gone: Repo) -> None:
    repos.delete(hub, person(hub, gone.namespace), gone)


def test_content_of_repos_stays_however_old_it_is(town: Hub):
    own = repo(town, "ada", "m")
    name, pointer = bring(town, own, CHUNKS), bring_plain(town, own, b"plain")
    before = stored(town)
    age(town, 10_000)
    assert [found.count for found in pruning.prune(town, days=1, remove=True)] == [0, 0, 0]
    assert stored(town) == before
    assert b"".join(content.stream(town.blobs, xet.recipe_of(town, own, name))) == b"".join(CHUNKS)
    assert b"".join(large_files.stream(town, own, pointer)) == b"plain"


def test_what_a_deleted_repo_had_goes_after_the_grace_and_not_before(town: Hub):
    own, other = repo(town, "ada", "m"), repo(town, "ada", "other")
    bring(town, own, CHUNKS), bring_plain(town, own, b"plain")
    bring_plain(town, other, b"another")
    age(town, 10_000)
    delete(town, own)  # the grace begins now
    assert sum(found.count for found in pruning.prune(town, days=180, remove=True)) == 0
    age(town, 181)
    looked = pruning.prune(town, days=180, remove=False)
    assert [(found.kind, found.count) for found in looked] == [("files", 1), ("recipes", 1), ("xorbs", 1)]
    assert looked[2].size == len(xorb_of(CHUNKS)[1])
    assert pruning.prune(town, days=180, remove=True) == looked
    assert stored(town) == {"files": 1, "recipes": 0, "xorbs": 0, "xorb_indexes": 0}


def test_a_xorb_stays_while_a_file_of_any_repo_uses_a_part_of_it(town: Hub):
    own, other = repo(town, "ada", "m"), repo(town, "eve", "other")
    bring(town, own, CHUNKS)
    part = shard_of(CHUNKS[1:], xorb=xorb_of(CHUNKS)[0], start=1)
    xet.register(town, other, person(town, "eve"), part)
    delete(town, own)
    age(town, 500)
    assert [found.count for found in pruning.prune(town, days=180, remove=True)] == [0, 1, 0]
    assert xet.register(town, other, person(town, "eve"), part) == 1


def test_a_xorb_whose_shard_has_not_come_yet_stays(town: Hub):
    own = repo(town, "ada", "m")
    name, body = xorb_of(CHUNKS)
    xet.add_xorb(town, own, person(town, own.namespace), name, io.BytesIO(body))
    age(town, 179)
    pruning.prune(town, days=180, remove=True)
    assert xet.register(town, own, person(town, "ada"), shard_of(CHUNKS)) == 1


def test_whoever_refers_to_what_is_gone_is_told_what_to_do_and_may_bring_it_again(town: Hub):
    own = repo(town, "ada", "m")
    name, body = xorb_of(CHUNKS)
    xet.add_xorb(town, own, person(town, own.namespace), name, io.BytesIO(body))
    age(town, 181)
    pruning.prune(town, days=180, remove=True)
    with pytest.raises(Invalid, match="Remove the folder xet"):
        xet.register(town, own, person(town, "ada"), shard_of(CHUNKS))
    with pytest.raises(NotFound):
        xet.known_chunk(town, own, person(town, "ada"), "0" * 64, key=b"k" * 32, expires=0)
    assert bring(town, own, CHUNKS)


def test_a_registry_without_repos_is_not_believed(town: Hub):
    own = repo(town, "ada", "m")
    bring_plain(town, own, b"plain")
    delete(town, own)
    age(town, 500)
    with pytest.raises(Conflict, match="knows of no repo"):
        pruning.prune(town, days=180, remove=True)
    assert stored(town)["files"] == 1


@pytest.mark.slow
def test_uploads_that_go_on_meanwhile_lose_nothing(town: Hub):
    """Old content that nobody has is registered and pruned at once, again and again: it is refused, or it is there."""
    own = repo(town, "ada", "m")
    ada, chance, ended = person(town, "ada"), random.Random(1), threading.Event()
    sets = [[chance.randbytes(500) for _ in range(3)] for _ in range(40)]
    for chunks in sets:
        name, body = xorb_of(chunks)
        xet.add_xorb(town, own, person(town, own.namespace), name, io.BytesIO(body))
    age(town, 500)

    def pruner() -> None:
        while not ended.is_set():
            pruning.prune(town, days=180, remove=True)

    thread = threading.Thread(target=pruner)
    thread.start()
    taken = []
    for chunks in sets:
        try:
            xet.register(town, own, ada, shard_of(chunks))
        except Invalid:
            bring(town, own, chunks)
        taken.append(chunks)
    ended.set()
    thread.join()
    for chunks in taken:
        data = b"".join(chunks)
        pointer = Pointer(hashlib.sha256(data).hexdigest(), len(data))
        assert b"".join(large_files.stream(town, own, pointer)) == data


@pytest.mark.slow
def test_a_killed_command_leaves_what_is_left_whole(town: Hub):
    own, gone = repo(town, "ada", "m"), repo(town, "ada", "gone")
    chance = random.Random(2)
    kept = [chance.randbytes(400) for _ in range(3)]
    bring(town, own, kept)
    for _ in range(50):
        bring(town, gone, [chance.randbytes(400), kept[1]])
    delete(town, gone)
    age(town, 500)
    command = [sys.executable, "-m", "glasshub", "--data", str(town.settings.data), "maintain", "--prune"]
    partly = 0
    for _ in range(4):
        before = stored(town)["recipes"] + stored(town)["xorbs"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and stored(town)["recipes"] + stored(town)["xorbs"] == before:
            time.sleep(0.002)
        process.kill()
        process.wait()
        partly += 2 < stored(town)["recipes"] + stored(town)["xorbs"] < before
        _is_whole(town)
    assert partly
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "were removed" in done.stderr
    assert stored(town) == {"files": 0, "recipes": 1, "xorbs": 1, "xorb_indexes": 1}
    assert subprocess.run(command[:-1], capture_output=True, text=True, check=True).stdout.split()[1] == "0"


def _is_whole(hub: Hub) -> None:
    xorbs = {path.name for path in (hub.settings.data / "blobs" / "xorbs").glob("*/*/*")}
    for path in Path(hub.settings.data / "blobs" / "recipes").glob("*/*/*"):
        assert {part.xorb for part in content.load_recipe(hub.blobs, path.name).parts} <= xorbs
