"""A push of more than 100,000 objects to the served hub, and the clone of it: how long, and how much memory."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from glasshub.config import Settings
from glasshub.hub import open_hub
from tests.conftest import Live, free_port, start_server, stop_server
from tests.push.gitclient import WorkTree, clone, init

pytestmark = pytest.mark.slow

MOST_SECONDS = 40
MOST_MEGABYTES = 300


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Live]:
    """A server with one worker, whose memory is nobody else's."""
    data, port = tmp_path / "data", free_port()
    process = start_server(data, port, log=tmp_path / "log", workers=1)
    hub = open_hub(Settings(data=data))
    yield Live(f"http://127.0.0.1:{port}", hub, process)
    hub.close()
    stop_server(process)


def _history(commits: int) -> bytes:
    """A fast-import stream: each commit changes two files in a tree of folders."""
    chance = random.Random(3)
    parts = []
    for n in range(commits):
        parts.append(b"commit refs/heads/main\ncommitter Ada <ada@example.org> %d +0000\n" % (1_700_000_000 + n))
        parts.append(b"data 8\nChange.\n\n")
        for _ in range(2):
            text = b"%d\n" % chance.randrange(1 << 40) * 20
            parts.append(b"M 100644 inline d%d/f%d.txt\n" % (chance.randrange(20), chance.randrange(50)))
            parts.append(b"data %d\n%s\n" % (len(text), text))
        parts.append(b"\n")
    return b"".join(parts)


def _most_memory(server: subprocess.Popen) -> int:
    """The most that a process of the server ever had resident, in MB."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    status = [Path(f"/proc/{pid}/status").read_text() for pid in children]
    return max(int(text.partition("VmHWM:")[2].split()[0]) // 1024 for text in status)


def _objects(tree: WorkTree) -> int:
    counted = dict(line.split(": ") for line in tree.git("count-objects", "-v").out.splitlines())
    return int(counted["in-pack"]) + int(counted["count"])


def test_a_push_of_100_000_objects_takes_seconds_and_little_memory(fresh: Live, tmp_path: Path, capsys):
    ada = fresh.person("ada")
    url = fresh.git_url(f"{ada.name}/big", ada)
    tree = init(tmp_path / "tree", url)
    command = ["git", "-C", str(tree.path), "fast-import", "--quiet"]
    subprocess.run(command, input=_history(commits=20_000), check=True, timeout=120)
    count = int(tree.git("rev-list", "--objects", "--count", "main").out)
    assert count > 100_000
    start = time.perf_counter()
    tree.git("push", "-q", "origin", "main")
    pushed, push_memory = time.perf_counter() - start, _most_memory(fresh.process)
    start = time.perf_counter()
    copy = clone(url, tmp_path / "copy", "--no-checkout")
    cloned, clone_memory = time.perf_counter() - start, _most_memory(fresh.process)
    with capsys.disabled():
        print(f"\n  {count:,} objects: pushed in {pushed:.1f} s (the server had {push_memory} MB),", end=" ")
        print(f"cloned in {cloned:.1f} s ({clone_memory} MB)")
    assert copy.head() == tree.head()
    assert _objects(copy) == count
    tree_ids = tree.git("rev-parse", "main~19999^{tree}", "main~10000^{tree}", "main^{tree}").out
    assert copy.git("rev-parse", "main~19999^{tree}", "main~10000^{tree}", "main^{tree}").out == tree_ids
    copy.git("fsck", "--connectivity-only")
    assert pushed < MOST_SECONDS
    assert max(push_memory, clone_memory) < MOST_MEGABYTES
