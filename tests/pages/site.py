"""A small real hub with everything the pages have to show, filled through the one door."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from glasshub import accounts, repos
from glasshub.app import create_app
from glasshub.config import Settings
from glasshub.git.build import Delete, Put, Signature, build_commit
from glasshub.git.quarantine import Quarantine
from glasshub.git.read import open_repo
from glasshub.git.refs import ZERO, RefUpdate, read_ref
from glasshub.hub import Hub, open_hub
from glasshub.identity import RepoType, Role
from glasshub.receive import apply_ref_updates
from glasshub.web.auth import COOKIE

BOARD = """\
name: Capitals
description: Name the capital of a country.
evaluation_framework: inspect-ai
tasks:
  - id: europe
    field_spec: {input: question, target: answer}
    solvers: [{name: generate}]
    scorers: [{name: match}]
  - id: asia
    field_spec: {input: question, target: answer}
    solvers: [{name: generate}]
    scorers: [{name: match}]
metrics:
  europe: {name: accuracy, unit: "%", range: [0, 100]}
  asia: {name: errors, higher_is_better: false}
"""
LONG_TASK = "a_task_whose_name_goes_on_and_on_without_any_place_where_it_could_be_broken"
LONG_NAME = f"ada/{'long-name-' * 9}end"
MANY = "name: Many\ndescription: Many tasks.\nevaluation_framework: custom\ntasks:\n" + "".join(
    f"  - id: {task}\n" for task in [*(f"t{number:02}" for number in range(20)), LONG_TASK]
)
CARD = """\
---
license: mit
pipeline_tag: text-generation
language: [en, de]
tags: [tiny]
---
# Small

A model with a [guide](docs/guide.md#start) and ![a picture](pixel.png).

<script>alert(1)</script><img src=x onerror=alert(1)>

```python
def answer(): return 42  # why not
```
"""


def png(width: int = 2, height: int = 2) -> bytes:
    """A small picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\x2e\x97\xa3" * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def result(value: object, *, dataset: str = "lab/capitals", task: str = "europe", more: str = "") -> str:
    """One entry of a result file; ``more`` is further lines, indented by two."""
    return f"- dataset: {{id: {dataset}, task_id: {task}}}\n  value: {value}\n{more}"


@dataclass
class Site:
    """The hub, its application, and the commits that were pushed."""

    hub: Hub
    app: Flask
    clock: int = 1_780_000_000
    sessions: dict[str, str] = field(default_factory=dict)

    def client(self, user: str | None = None) -> FlaskClient:
        """A browser, signed in as ``user`` or anonymous."""
        client = self.app.test_client()
        if user is not None:
            if user not in self.sessions:
                self.sessions[user] = accounts.start_session(self.hub, user)
            client.set_cookie(COOKIE, self.sessions[user])
        return client

    def get(self, path: str, user: str | None = None, status: int = 200) -> str:
        """The text of a page."""
        answer = self.client(user).get(path)
        assert answer.status_code == status, f"{path}: {answer.status_code}\n{answer.text[:2000]}"
        return answer.text

    def push(
        self,
        type: RepoType,
        repo_id: str,
        files: dict[str, str | bytes | None],
        *,
        message: str = "Change",
        user: str = "ada",
        private: bool = False,
        ref: str = "refs/heads/main",
    ) -> str:
        """Push one commit (``None`` deletes a file), making the repo if it is missing; returns the commit id."""
        actor = accounts.actor_for(self.hub, user)
        namespace, name = repo_id.split("/")
        try:
            repo = repos.find(self.hub, type, namespace, name)
        except repos.RepoNotFound:
            repo = repos.create(self.hub, actor, type, namespace, name, private=private)
        self.clock += 3600
        who = Signature(user, f"{user}@users.noreply.localhost", self.clock)
        operations = [
            Delete(path) if data is None else Put(path, data.encode() if isinstance(data, str) else data)
            for path, data in files.items()
        ]
        with open_repo(self.hub.git_dir(repo)) as git, Quarantine(git) as incoming:
            old = read_ref(git, ref)
            base = old if old != ZERO else read_ref(git, "refs/heads/main")
            tip = build_commit(incoming, None if base == ZERO else base, operations, message=message, author=who)
            (outcome,) = apply_ref_updates(self.hub, repo, [RefUpdate(old, tip, ref)], actor, incoming=incoming)
        assert outcome.ok, outcome
        return tip


def build_site(folder: Path) -> Site:
    """The hub that the tests of this package look at."""
    hub = open_hub(Settings(data=folder / "data", public_url="http://hub.example"))
    for name in ("ada", "eve"):
        accounts.add_user(hub, name, password="correct horse", full_name=name.title())
    accounts.add_org(hub, "lab", admin="ada", full_name="The Lab")
    accounts.set_member(hub, accounts.actor_for(hub, "ada"), "lab", "eve", Role.READ)
    accounts.add_user(hub, "stranger", password="correct horse")
    site = Site(hub, create_app(hub))
    _benchmarks(site)
    _models(site)
    return site


def _benchmarks(site: Site) -> None:
    card = "---\nlanguage: en\nconfigs: [{config_name: default, data_files: test.jsonl}]\n---\n# Capitals\n\nCities.\n"
    site.push("dataset", "lab/capitals", {"README.md": card, "test.jsonl": '{"question": "?", "answer": "!"}\n'})
    site.push("dataset", "lab/capitals", {"eval.yaml": BOARD}, message="Declare the benchmark")
    site.push("dataset", "lab/many", {"eval.yaml": MANY})
    site.push("dataset", "lab/plain", {"README.md": "# Plain\n\nNo benchmark.\n"})
    site.push("dataset", "lab/secret-data", {"eval.yaml": BOARD.replace("Capitals", "Hush")}, private=True)


def _models(site: Site) -> None:
    own = result(47.25, more='  source: {url: "https://example.org/report", name: Report}\n  notes: ""\n')
    again = result(41.0, more="  notes: five shots\n  extra: {shots: 5, tools: [search, code]}\n") + result(
        12, task="asia"
    )
    wrong = result(140, more="") + result(1, task="africa") + result('"high"', task="asia")
    files: dict[str, str | bytes | None] = {
        "README.md": CARD,
        "docs/guide.md": "# Guide\n\n## Start\n\nBack to [the card](../README.md).\n",
        "answer.py": 'def answer() -> int:\n    """Why not."""\n    return 42\n',
        "pixel.png": png(),
        "weights.bin": b"\0\1\2" * 100,
        "large.txt": "word\n" * 150_000,
        "hostile.html": "<script>alert(1)</script>\n",
    }
    site.push("model", "lab/small", files, message="Write the card\n\nAnd say why.")
    site.push("model", "lab/small", {".eval_results/own.yaml": own, ".eval_results/again.yaml": again})
    site.push("model", "lab/small", {".eval_results/wrong.yaml": wrong}, message="Report more")
    site.push("model", "lab/small", {"answer.py": "def answer() -> int:\n    return 41\n"}, message="Answer less")
    site.push("model", "lab/small", {"draft.txt": "A draft\n"}, ref="refs/heads/draft/one", message="Draft")
    site.push("model", "ada/large", {".eval_results/a.yaml": result(47.25) + result(3.5, task="asia")})
    site.push("model", "ada/third", {".eval_results/a.yaml": result(30)})
    tuned = "---\nbase_model: lab/small\n---\n# Tuned\n"
    site.push("model", "ada/tuned", {"README.md": tuned, ".eval_results/a.yaml": result(90)})
    hidden = result(99.5) + result(99.5, dataset="lab/secret-data")
    site.push("model", "lab/secret-model", {".eval_results/a.yaml": hidden}, private=True)
    repos.create(site.hub, accounts.actor_for(site.hub, "ada"), "model", "ada", "empty")
    _long_names(site)


def _long_names(site: Site) -> None:
    word = "unbroken" * 20
    wide = f"# {word}\n\n{word}\n\n|{f' {word} |' * 3}\n|{'---|' * 3}\n\n```\n{word} {word}\n```\n"
    languages = ", ".join(f"l{number:02}" for number in range(30))
    named = f"base_model: lab/none\ndatasets: [lab/many, lab/secret-data]\nlanguage: [{languages}]\n"
    broken = f"- dataset: {{id: lab/many, task_id: {LONG_TASK}, {word}: 1}}\n  value: yes\n"
    files: dict[str, str | bytes | None] = {
        "README.md": f"---\n{named}---\n{wide}",
        f"folder/{word}.txt": f"{word}\n" * 3,
        ".eval_results/a.yaml": result(0.123456789012, dataset="lab/many", task=LONG_TASK, more=f"  notes: {word}\n"),
        ".eval_results/broken.yaml": broken,
    }
    site.push("model", LONG_NAME, files, message=f"Write {word} {word}\n\n{word}")
