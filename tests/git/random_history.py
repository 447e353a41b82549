"""Repositories with random branches, merges, tags and clocks, which grow and are rewritten."""

from __future__ import annotations

import random
import subprocess

from tests.push.gitclient import WorkTree

START = 1_600_000_000
STEP = 1000
BRANCHES = ("main", "side", "dev/a", "b1", "b2")


class RandomHistory:
    """A work tree whose history is made by chance; ``skewed``: some of the commits have a wrong clock."""

    def __init__(self, tree: WorkTree, chance: random.Random, *, skewed: bool) -> None:
        self.tree, self._chance, self._skewed = tree, chance, skewed
        self._heads: dict[str, str] = {}
        self._next = 1

    @property
    def now(self) -> int:
        """The time of the newest commit, about."""
        return START + self._next * STEP

    def commits(self) -> list[str]:
        """All commits that a ref leads to."""
        return self.tree.git("rev-list", "--all").out.split()

    def grow(self, count: int) -> None:
        """Add commits, a third of them merges, to random branches."""
        pool = list(self._heads.values())
        stream = []
        for _ in range(count):
            branch = self._chance.choice(BRANCHES)
            stream.append(self._commit(branch, pool))
            self._heads[branch] = f":{self._next}"
            pool.append(self._heads[branch])
            self._next += 1
        subprocess.run(
            ["git", "fast-import", "--quiet", "--force"],
            input="".join(stream).encode(),
            cwd=self.tree.path,
            check=True,
            timeout=60,
        )
        listed = [line.split() for line in self.tree.git("show-ref", "--heads").out.splitlines()]
        self._heads = {ref.removeprefix("refs/heads/"): oid for oid, ref in listed}

    def tag(self) -> None:
        """Add a few tags: light, annotated, and of tags."""
        for _ in range(self._chance.randrange(4)):
            name, commit = f"t{self._chance.randrange(1000)}", self._chance.choice(self.commits())
            self.tree.git("tag", "-f", *self._chance.choice([(), ("-a", "-m", "T")]), name, commit)
            if self._chance.random() < 0.2:
                self.tree.git("tag", "-f", "-a", "-m", "T", f"{name}-again", name)

    def rewrite(self) -> None:
        """Move a branch anywhere, or remove one."""
        branch = self._chance.choice(list(self._heads))
        if self._chance.random() < 0.5 and branch != "main":
            self.tree.git("update-ref", "-d", f"refs/heads/{branch}")
            del self._heads[branch]
        else:
            self._heads[branch] = self._chance.choice(self.commits())
            self.tree.git("update-ref", f"refs/heads/{branch}", self._heads[branch])

    def _commit(self, branch: str, pool: list[str]) -> str:
        chance = self._chance
        when = START + (chance.randrange(10**7) if self._skewed and chance.random() < 0.2 else self._next * STEP)
        lines = [f"commit refs/heads/{branch}", f"mark :{self._next}", f"committer A <a@b> {when} +0000", "data 1\nc"]
        parent = self._heads.get(branch) or (chance.choice(pool) if pool and chance.random() < 0.9 else "")
        if parent:
            lines.append(f"from {parent}")
            if chance.random() < 0.3:
                others = chance.sample(pool, min(len(pool), chance.choice([1, 1, 2])))
                lines += [f"merge {other}" for other in dict.fromkeys(others) if other != parent]
        lines += [self._change() for _ in range(chance.randrange(4))]
        return "\n".join([*lines, "", ""])

    def _change(self) -> str:
        path = "/".join(self._chance.choice("abc") for _ in range(self._chance.randrange(1, 4))) + ".txt"
        if self._chance.random() < 0.15:
            return f"D {path}"
        text = str(self._chance.randrange(30)) * self._chance.choice([1, 200])
        return f"M 100644 inline {path}\ndata {len(text)}\n{text}"
