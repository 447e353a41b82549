"""A small hub where people talk: ada and the writer wil keep lab's model, sam proposes scores, rea and mo look on."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from glasshub import accounts, receive, repos
from glasshub.app import create_app
from glasshub.config import Settings
from glasshub.conversation import Discussion
from glasshub.desk import Move
from glasshub.git import read
from glasshub.git.build import Delete, Put, Signature, build_commit
from glasshub.git.quarantine import Quarantine
from glasshub.git.refs import ZERO, RefResult, RefUpdate
from glasshub.hub import open_hub
from glasshub.identity import Repo, Role
from glasshub.index import queries
from tests.pages.site import BOARD, Site, result

MODEL, DATASET = "lab/small", "lab/capitals"
OWN, NEW = ".eval_results/own.yaml", ".eval_results/sam.yaml"
# Anonymous, stranger, reader (a member of the lab who may only read), author of the pull request, writer, admin.
PEOPLE = (None, "mo", "rea", "sam", "wil", "ada")
OUTSIDE = (None, "mo")  # for whom there is no private repo


@dataclass
class Forum(Site):
    """The hub, and what people do in it."""

    @property
    def model(self) -> Repo:
        return repos.find(self.hub, "model", *MODEL.split("/"))

    def decide(self, who: str, decision: Callable[..., Move], *, repo: Repo | None = None, **fields: object) -> Move:
        actor = accounts.actor_for(self.hub, who)
        return receive.decide(self.hub, repo or self.model, actor, partial(decision, **fields))

    def propose(self, who: str, files: Mapping[str, str | bytes | None], *, title: str = "Propose") -> int:
        """Open a pull request on top of ``main`` by a push; returns its number."""
        number = len(self.discussions()) + 1
        (done,) = self.send(who, "refs/for/main", files, parent="refs/heads/main", title=title)
        assert done.ok, done.error
        return number

    def update(self, who: str, number: int, files: Mapping[str, str | bytes | None], *, anew: bool = False) -> None:
        """Push one more commit to a pull request, or (``anew``) another one in place of all of its commits."""
        ref = f"refs/pr/{number}"
        (done,) = self.send(who, ref, files, parent="refs/heads/main" if anew else ref)
        assert done.ok, done.error

    def send(
        self, who: str, ref: str, files: Mapping[str, str | bytes | None], *, parent: str, title: str = "Change"
    ) -> list[RefResult]:
        self.clock += 3600
        signature = Signature(who, f"{who}@users.noreply.localhost", self.clock)
        operations = [
            Delete(path) if data is None else Put(path, data.encode() if isinstance(data, str) else data)
            for path, data in files.items()
        ]
        with read.open_repo(self.hub.git_dir(self.model)) as git, Quarantine(git) as incoming:
            refs = read.list_refs(git)
            tip = build_commit(incoming, refs[parent], operations, message=title, author=signature)
            actor = accounts.actor_for(self.hub, who)
            update = RefUpdate(refs.get(ref, ZERO), tip, ref)
            return receive.apply_ref_updates(self.hub, self.model, [update], actor, incoming=incoming)

    def discussions(self) -> list[Discussion]:
        db, key = self.hub.index.read(), self.model.key
        rows = queries.discussions(db, key, limit=1000).items
        return [found for row in rows if (found := queries.discussion(db, key, row.number))]

    def discussion(self, number: int) -> Discussion:
        found = queries.discussion(self.hub.index.read(), self.model.key, number)
        assert found is not None
        return found

    def post(self, path: str, user: str | None, /, **form: object) -> tuple[int, str]:
        """Send a form as a browser does that has just loaded a page; returns status and the page that comes of it."""
        client = self.client(user)
        token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/settings" if user else "/login").text)
        assert token is not None
        answer = client.post(path, data={**form, "csrf_token": token[1]}, content_type="multipart/form-data")
        if answer.status_code != 303:
            return answer.status_code, answer.text
        return 303, client.get(answer.headers["Location"].split("#")[0]).text


def answers(forum: Forum, *public: int) -> tuple[int, ...]:
    """What each of the people gets: ``public`` as long as the model is, else 404 for those outside."""
    return (404,) * len(OUTSIDE) + public[len(OUTSIDE) :] if forum.model.private else public


def build_forum(folder: Path, *, private: bool = False) -> Forum:
    """A hub with a benchmark, the model and two rivals, and nothing said yet. A private model is read by sam too."""
    hub = open_hub(Settings(data=folder / "data", public_url="http://hub.example"))
    for name in ("ada", "wil", "sam", "rea", "mo"):
        accounts.add_user(hub, name, password="correct horse")
    accounts.add_org(hub, "lab", admin="ada", full_name="The Lab")
    members = {"wil": Role.WRITE, "rea": Role.READ, **({"sam": Role.READ} if private else {})}
    for name, role in members.items():
        accounts.set_member(hub, accounts.actor_for(hub, "ada"), "lab", name, role)
    forum = Forum(hub, create_app(hub))
    forum.push("dataset", DATASET, {"eval.yaml": BOARD, "README.md": "# Capitals\n"})
    card = "---\nlicense: mit\n---\n# Small\n\nA model.\n"
    forum.push("model", MODEL, {"README.md": card, OWN: result(47.25), "code.py": PYTHON}, message="Begin")
    forum.push("model", "ada/large", {".eval_results/a.yaml": result(52) + result(3, task="asia")})
    forum.push("model", "ada/third", {".eval_results/a.yaml": result(30)})
    if private:
        repos.configure(hub, accounts.actor_for(hub, "ada"), forum.model, private=True)
    return forum


PYTHON = """\
import math


def answer(question: str) -> int:
    \"\"\"Why not.\"\"\"
    return 42


def other() -> float:
    return math.pi
"""
