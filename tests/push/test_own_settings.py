"""A served hub with settings of its own: small limits on pushes, and no repos made by pushing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from glasshub import accounts, repos
from glasshub.config import Settings
from glasshub.hub import open_hub
from tests.conftest import Live, free_port, start_server, stop_server
from tests.git.receive_server import objects
from tests.push.gitclient import WorkTree, clone, init

pytestmark = pytest.mark.slow

LIMITS = {
    "GLASSHUB_MAX_PUSH_BYTES": "3000000",
    "GLASSHUB_MAX_INFLATED_BYTES": "6000000",
    "GLASSHUB_MAX_OBJECT_BYTES": "4000000",
    "GLASSHUB_MAX_PUSH_OBJECTS": "500",
    "GLASSHUB_CREATE_ON_PUSH": "false",
}


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("strict")
    data, port = folder / "data", free_port()
    process = start_server(data, port, log=folder / "log", env=LIMITS)
    hub = open_hub(Settings(data=data))
    yield Live(f"http://127.0.0.1:{port}", hub, process)
    hub.close()
    stop_server(process)


@pytest.fixture
def tree(strict: Live, tmp_path: Path) -> WorkTree:
    ada = strict.person("ada")
    repos.create(strict.hub, accounts.actor_for(strict.hub, ada.name), "model", ada.name, "net")
    return init(tmp_path / "tree", strict.git_url(f"{ada.name}/net", ada))


def _fill(tree: WorkTree, kind: str) -> None:
    if kind == "wire":
        for n in range(4):
            tree.write(f"{n}.bin", random.Random(n).randbytes(1_000_000))
    elif kind == "inflated":
        for n in range(7):
            tree.write(f"{n}.bin", b"%d" % n * 1_000_000)
    elif kind == "object":
        tree.write("one.bin", b"\0" * 4_500_000)
    else:
        for n in range(600):
            tree.write(f"{n}.txt", f"{n}\n")
    tree.commit(kind)


@pytest.mark.parametrize("sent", ["in chunks", "as a whole"])
@pytest.mark.parametrize(
    ("kind", "setting"),
    [
        ("wire", "max_push_bytes"),
        ("inflated", "max_inflated_bytes"),
        ("object", "max_object_bytes"),
        ("objects", "max_push_objects"),
    ],
)
def test_a_push_above_a_limit_is_told_the_setting_and_leaves_nothing(
    strict: Live, tree: WorkTree, tmp_path: Path, kind: str, setting: str, sent: str
):
    _fill(tree, kind)
    buffer = 65_536 if sent == "in chunks" else 100_000_000
    refused = tree.git("-c", f"http.postBuffer={buffer}", "push", "origin", "main", check=False)
    assert not refused.ok
    assert f"the setting {setting}" in refused.err, refused.err
    url = tree.git("remote", "get-url", "origin").out.strip()
    repo = repos.find(strict.hub, "model", *url.split("/")[-2:])
    git_dir = strict.hub.git_dir(repo)
    assert objects(git_dir) == set()
    assert not (git_dir / "quarantine").exists()
    assert tree.git("ls-remote", "origin").out == ""
    small = init(tmp_path / "small", url)
    small.commit("Small", **{"README.md": "small\n"})
    small.git("push", "-q", "origin", "main")
    assert clone(url, tmp_path / "copy").head() == small.head()


def test_pushing_makes_no_repo_where_the_setting_forbids_it(strict: Live, tmp_path: Path):
    ada = strict.person("ada")
    tree = init(tmp_path / "tree", strict.git_url(f"datasets/{ada.name}/new", ada))
    tree.commit("One", **{"README.md": "one\n"})
    refused = tree.git("push", "origin", "main", check=False)
    assert not refused.ok
    assert "not found" in refused.err.lower()
    assert [repo.repo_id for repo in repos.every(strict.hub) if repo.namespace == ada.name] == []
    repos.create(strict.hub, accounts.actor_for(strict.hub, ada.name), "dataset", ada.name, "new")
    tree.git("push", "-q", "origin", "main")
    assert tree.head() in tree.git("ls-remote", "origin", "refs/heads/main").out
