"""Stock git, driven as a person would, with nothing of this machine's configuration."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.require import require

ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "LC_ALL": "C",
}


@dataclass(frozen=True)
class Answer:
    """What a git command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def ok(self) -> bool:
        return self.code == 0


@dataclass(frozen=True)
class WorkTree:
    """A local repository and its folder."""

    path: Path

    def git(
        self, *arguments: str, check: bool = True, env: dict[str, str] | None = None, stdin: Path | None = None
    ) -> Answer:
        return git(*arguments, cwd=self.path, check=check, env=env, stdin=stdin)

    def write(self, path: str, content: str | bytes) -> None:
        target = self.path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, message: str = "Change", **files: str) -> str:
        for path, content in files.items():
            self.write(path, content)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.head()

    def head(self) -> str:
        return self.git("rev-parse", "HEAD").out.strip()


def git(
    *arguments: str, cwd: Path, check: bool = True, env: dict[str, str] | None = None, stdin: Path | None = None
) -> Answer:
    """Run stock git; with ``check`` a failure is an assertion with git's own words."""
    with (stdin or Path(os.devnull)).open("rb") as given:
        done = subprocess.run(
            [require("git"), *arguments],
            cwd=cwd,
            env={**os.environ, **ENVIRONMENT, **(env or {})},
            stdin=given,
            capture_output=True,
            text=True,
            timeout=120,
        )
    answer = Answer(done.returncode, done.stdout, done.stderr)
    assert answer.ok or not check, f"git {' '.join(arguments)} failed:\n{answer.out}\n{answer.err}"
    return answer


def init(path: Path, url: str = "") -> WorkTree:
    """A new work tree on branch main, with ``origin`` at ``url``."""
    path.mkdir(parents=True)
    tree = WorkTree(path)
    tree.git("init", "-q", "-b", "main")
    if url:
        tree.git("remote", "add", "origin", url)
    return tree


def clone(url: str, path: Path, *options: str) -> WorkTree:
    """A clone of ``url``."""
    git("clone", "-q", *options, url, str(path), cwd=path.parent)
    return WorkTree(path)
