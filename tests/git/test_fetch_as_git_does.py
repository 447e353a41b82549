"""Random histories, fetched in random ways from our server and from git's own: clients end with the same."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.git import http_backend, upload_server
from tests.git.random_history import START, RandomHistory
from tests.push.gitclient import WorkTree, git, init
from tests.require import require

pytestmark = pytest.mark.slow
SEEDS = range(8)


@dataclass(frozen=True)
class Having:
    """What a clone has, as its owner sees it."""

    refs: list[str]
    commits: list[str]
    objects: list[str]
    boundary: list[str]


def _having(tree: WorkTree, origin: WorkTree) -> Having:
    file = tree.path / ".git" / "shallow"
    boundary = file.read_text().split() if file.exists() else []
    # git puts first commits into the boundary too, which changes nothing.
    boundary = [oid for oid in boundary if "\nparent " in origin.git("cat-file", "commit", oid).out]
    refs = tree.git("show-ref", check=False).out.splitlines()
    listed = tree.git("rev-list", "--objects", "--all", "--missing=print").out.splitlines() if refs else []
    commits = tree.git("rev-list", "--all").out.split() if refs else []
    return Having(refs, sorted(commits), sorted(line.split()[0] for line in listed), sorted(boundary))


def _shallow_options(chance: random.Random, history: RandomHistory, *, again: bool) -> list[str]:
    kind = chance.choice(["", "", "", "depth", "depth", "since", *(["deepen", "unshallow"] if again else ["exclude"])])
    tags = history.tree.git("tag").out.split()
    return {
        "": [],
        "depth": ["--depth", str(chance.randrange(1, 6))],
        "since": [f"--shallow-since={chance.randrange(START, history.now)}"],
        "exclude": [f"--shallow-exclude={chance.choice(tags)}"] if tags else [],
        "deepen": ["--deepen", str(chance.randrange(1, 4))],
        "unshallow": ["--unshallow"],
    }[kind]


@pytest.mark.parametrize("seed", SEEDS)
def test_clones_and_fetches_bring_what_git_would_bring(tmp_path: Path, seed: int):
    require("git")
    chance = random.Random(seed)
    history = RandomHistory(init(tmp_path / "origin"), chance, skewed=seed % 2 == 0)
    origin = history.tree
    for setting in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
        origin.git("config", setting, "true")
    history.grow(chance.randrange(3, 30))
    history.tag()
    if chance.random() < 0.5:
        origin.git("repack", "-adkq")
    version = ("-c", f"protocol.version={chance.choice('012')}")
    options = _shallow_options(chance, history, again=False)
    options += chance.choice([[], [], ["--no-single-branch"], ["--single-branch"], ["--no-tags"]])
    filtered = chance.random() < 0.2
    options += [f"--filter={chance.choice(['blob:none', 'tree:0', 'blob:limit=100'])}"] if filtered else []
    with upload_server.serving(origin.path / ".git") as ours, http_backend.serving(origin.path / ".git") as theirs:
        both = [WorkTree(tmp_path / name) for name in ("ours", "theirs")]
        clones = [
            git(*version, "clone", "-q", "--no-checkout", *options, url, str(tree.path), cwd=tmp_path, check=False)
            for url, tree in zip((ours, theirs), both, strict=True)
        ]
        assert clones[0].ok == clones[1].ok, clones
        compared = clones[0].ok and _compare(both, history, options, filtered=filtered)
        for _ in range(chance.randrange(1, 5) if compared else 0):
            for change in chance.sample([lambda: history.grow(3), history.tag, history.rewrite], 2):
                change()
            more = [*_shallow_options(chance, history, again=True), *chance.choice([[], ["--prune"], ["--tags"]])]
            more += ["--force", "origin", *chance.choice([[], ["+refs/heads/*:refs/remotes/origin/*"]])]
            said = [tree.git(*version, "fetch", "-q", *more, check=False) for tree in both]
            options += more
            if said[0].ok and "unshallow" in said[1].err:
                return  # git's server told of a boundary whose commits it had not sent
            if said[0].ok != said[1].ok:
                # --unshallow on a whole clone is refused by the client, and only one of the two may be whole.
                assert "--unshallow" in said[0].err + said[1].err, said
                return
            if not _compare(both, history, options, filtered=filtered):
                return


def _compare(both: list[WorkTree], history: RandomHistory, options: list[str], *, filtered: bool) -> bool:
    """Both clones are sound and have the same; whether it makes sense to go on with them."""
    if not filtered:
        both[0].git("fsck", "--strict", "--full")
    ours, theirs = (_having(tree, history.tree) for tree in both)
    # git's server does not see all tags of commits that it sends, so that ours may bring more of them.
    assert set(ours.refs) >= set(theirs.refs)
    by_rule = any(option.startswith("--shallow-") for option in options)
    rewritten = not set(ours.commits) | set(theirs.commits) <= set(history.commits())
    if by_rule or rewritten or ours.refs != theirs.refs:
        # git cuts by date and by ref so that commits of the boundary may be missing; it also gives away what was
        # rewritten to whoever names it. Ours does neither.
        return not rewritten
    assert ours.boundary == theirs.boundary
    assert ours.commits == theirs.commits
    assert filtered or ours.objects == theirs.objects
    counts = [len(tree.git("cat-file", "--batch-all-objects", "--batch-check=.").out.split()) for tree in both]
    assert counts[0] <= counts[1] + 5
    return True
