"""A hub to look around in: accounts and the sample repos, pushed through the one door, then served."""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from glasshub import accounts, demo_run, demo_story, repos
from glasshub.config import Settings
from glasshub.errors import AccountNotFound, Conflict, GlasshubError, RepoNotFound, Unauthenticated
from glasshub.git.build import Put, Signature, build_commit
from glasshub.git.quarantine import Quarantine
from glasshub.git.read import open_repo
from glasshub.git.refs import ZERO, RefUpdate, read_ref
from glasshub.hub import Hub, open_hub
from glasshub.identity import REPO_TYPES, Repo, RepoType, Role
from glasshub.receive import apply_ref_updates
from glasshub.serve import require_free, serve

ADMIN = "demo"
CURATORS = ("mara", "jonas")
GUEST = "guest"  # may write to no repo but their own
LOGIN_FILE = "demo-login.txt"
SAMPLES = Path(__file__).with_name("sample_repos")
MAIN = "refs/heads/main"
MEASURED = 1_795_424_400  # when repos that a run names were made, 2026-11-23: their commits have the same ids each time


@dataclass(frozen=True, slots=True)
class Sample:
    """One folder of ``sample_repos/``: a repo to be."""

    type: RepoType
    namespace: str
    name: str
    folder: Path

    @property
    def label(self) -> str:
        """What the progress display calls it."""
        return f"{self.type} {self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Login:
    """How to sign in to a demo hub, as its admin or as a guest. Tokens are ``""`` until everything is in place."""

    password: str
    token: str = ""
    guest_token: str = ""


def run(settings: Settings, *, host: str = "127.0.0.1", port: int = 8000) -> None:
    """Make the demo hub where it is missing, serve it, and say what to open, how to sign in and what to try.

    Args:
        settings: the hub's settings; its data folder is created when missing.
        host: address to listen on.
        port: TCP port.

    Raises:
        Conflict: the port is taken, or the data folder holds a hub that is not a demo.
    """
    require_free(host, port)
    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    hub = open_hub(settings)
    try:
        with _alone(settings.data):
            login = _set_up(hub, console, _address(host, port))
        note = "" if _works(hub, login) else f" (revoked since; make another with: glasshub token add {ADMIN})"
    finally:
        hub.close()
    text = _welcome(settings, login, base_url=_address(host, port), token_note=note)
    serve(settings, host=host, port=port, on_ready=lambda: console.print(text))


def populate(hub: Hub, *, on_done: Callable[[Sample], None] | None = None, address: str = demo_run.ADDRESS) -> None:
    """Add the demo's accounts, push the sample repos as they would, and let happen what :mod:`demo_story` tells.

    What exists already is left as it is; a repo without any commit (left by a crash) is filled.

    Args:
        hub: the hub; the account ``demo`` must exist and be a hub admin.
        on_done: called after each repo.
        address: where the hub is going to answer; the token of its verified result names it.
    """
    found = list(samples())
    add_accounts(hub, {sample.namespace for sample in found})
    clock, pinned = int(time.time()) - 60 * 3 * len(found), demo_run.pinned()
    for number, sample in enumerate(found):
        push(hub, sample, MEASURED if sample.label in pinned else clock + 60 * 3 * number)
        if on_done is not None:
            on_done(sample)
    for story in demo_story.stories():
        demo_story.tell(hub, story)
    for run in demo_run.every():
        demo_run.bring(hub, run, accounts.actor_for(hub, ADMIN), address=address)


def samples() -> Iterator[Sample]:
    """The sample repos, benchmarks first, each group by name."""
    for type_ in sorted(REPO_TYPES):
        for folder in sorted((SAMPLES / f"{type_}s").glob("*/*")):
            yield Sample(type_, folder.parent.name, folder.name, folder)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """While one process fills the hub in ``folder``, another that was started by mistake waits."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _set_up(hub: Hub, console: Console, address: str) -> Login:
    path = hub.settings.data / LOGIN_FILE
    login = _read_login(path)
    if login is None:
        _refuse_foreign_hub(hub)
        login = Login(secrets.token_urlsafe(12))
        _write_login(path, login)
    if login.token and login.guest_token:
        return login
    _add_people(hub, login)
    with Progress(console=console) as progress:
        bar = progress.add_task("Pushing sample repos", total=len(list(samples())))
        populate(
            hub,
            on_done=lambda sample: progress.update(bar, advance=1, description=sample.label),
            address=address,
        )
        progress.update(bar, description="Pushed the sample repos")
    login = replace(login, token=login.token or _token(hub, ADMIN), guest_token=_token(hub, GUEST))
    _write_login(path, login)
    return login


def _refuse_foreign_hub(hub: Hub) -> None:
    if repos.every(hub) or _exists(hub, ADMIN):
        raise Conflict(
            f"{hub.settings.data} holds a hub that is not a demo. Choose another folder with --data, "
            "or start this one with glasshub serve."
        )


def _exists(hub: Hub, name: str) -> bool:
    try:
        accounts.find(hub, name)
    except AccountNotFound:
        return False
    return True


def _add_people(hub: Hub, login: Login) -> None:
    for name, full_name in ((ADMIN, "Demo admin"), (GUEST, "Demo guest")):
        if not _exists(hub, name):
            accounts.add_user(hub, name, password=login.password, full_name=full_name, admin=name == ADMIN)


def _token(hub: Hub, name: str) -> str:
    return accounts.create_token(hub, name, name="demo", scope="write")[0]


def add_accounts(hub: Hub, namespaces: set[str]) -> None:
    """Add the people of the demo, and organisations of these names."""
    for name in (*CURATORS, *sorted(demo_story.authors())):
        if not _exists(hub, name):
            role = "curator" if name in CURATORS else "reader"
            accounts.add_user(hub, name, full_name=f"{name.capitalize()} (demo {role})")
    admin = accounts.actor_for(hub, ADMIN)
    for name in sorted(namespaces - set(CURATORS)):
        if not _exists(hub, name):
            accounts.add_org(hub, name, admin=ADMIN)
            for curator in CURATORS:
                accounts.set_member(hub, admin, name, curator, Role.WRITE)


def push(hub: Hub, sample: Sample, clock: int) -> None:
    """Push a sample repo unless it is there; its commits are dated from ``clock`` on, seconds since 1970."""
    repo = _repo(hub, sample)
    curator = sample.namespace if sample.namespace in CURATORS else CURATORS[-1]
    with open_repo(hub.git_dir(repo)) as git, Quarantine(git) as incoming:
        if read_ref(git, MAIN) != ZERO:
            return
        tip = _commits(sample, incoming, clock)
        update = RefUpdate(ZERO, tip, MAIN)
        (result,) = apply_ref_updates(hub, repo, [update], accounts.actor_for(hub, curator), incoming=incoming)
    if not result.ok:
        raise GlasshubError(f"The sample repo {sample.label} was refused: {result.error}")


def _repo(hub: Hub, sample: Sample) -> Repo:
    try:
        return repos.find(hub, sample.type, sample.namespace, sample.name)
    except RepoNotFound:
        return repos.create(hub, accounts.actor_for(hub, ADMIN), sample.type, sample.namespace, sample.name)


def _commits(sample: Sample, incoming: Quarantine, clock: int) -> str:
    tip: str | None = None
    for number, (message, paths) in enumerate(_steps(sample)):
        puts = [Put(path.relative_to(sample.folder).as_posix(), path.read_bytes()) for path in paths]
        who = CURATORS[number % len(CURATORS)] if sample.namespace not in CURATORS else sample.namespace
        author = Signature(who, f"{who}@users.noreply.localhost", clock + 60 * number)
        tip = build_commit(incoming, tip, puts, message=message, author=author)
    if tip is None:
        raise GlasshubError(f"{sample.folder} holds no files.")
    return tip


def _steps(sample: Sample) -> Iterator[tuple[str, list[Path]]]:
    """The commits of a repo: first the card, then what it describes, then what is measured."""
    files = sorted(path for path in sample.folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    card = [path for path in files if path.name == "README.md"]
    measured = [path for path in files if path.name == "eval.yaml" or path.parent.name == ".eval_results"]
    rest = [path for path in files if path not in card and path not in measured]
    last = "Declare the benchmark" if sample.type == "dataset" else "Add the scores"
    between = "Add the questions" if sample.type == "dataset" else "Add the program"
    for message, group in (("Write the card", card), (between, rest), (last, measured)):
        if group:
            yield message, group


def _read_login(path: Path) -> Login | None:
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return None
    fields = dict(line.split(": ", 1) for line in lines if ": " in line)
    if "password" not in fields:
        raise Conflict(f"{path} is damaged. Remove the folder {path.parent} to begin anew.")
    return Login(fields["password"], fields.get("token", ""), fields.get("guest token", ""))


def _write_login(path: Path, login: Login) -> None:
    """Write the file for its owner's eyes alone, all of it or nothing."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    text = f"user: {ADMIN}\npassword: {login.password}\n" + (f"token: {login.token}\n" if login.token else "")
    text += f"guest: {GUEST}\nguest token: {login.guest_token}\n" if login.guest_token else ""
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _works(hub: Hub, login: Login) -> bool:
    try:
        accounts.actor_from_token(hub, login.token)
    except Unauthenticated:
        return False
    return True


def _address(host: str, port: int) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"


def _welcome(settings: Settings, login: Login, *, base_url: str, token_note: str = "") -> str:
    remote = base_url.replace("://", f"://{ADMIN}:{login.token}@")
    return f"""
{settings.name} is running. Open

  {base_url}/                                   the hub
  {base_url}/BAAI/bge-large-en-v1.5             a model with its scores
  {base_url}/datasets/mteb/banking77            a benchmark with its leaderboard
  {base_url}/mara/first-option                  a disputed score, one that is hidden, and why
  {base_url}/mara/first-option/submit-score     submit a score yourself

Sign in at {base_url}/login as {ADMIN}, who may do everything, or as {GUEST}, who may only propose
  password: {login.password} (for both)
  token:    {login.token} ({ADMIN}){token_note}
  token:    {login.guest_token} ({GUEST})
(kept in {settings.data / LOGIN_FILE})

Push a changed score and see it on the leaderboard:

  git clone {remote}/mara/first-option
  cd first-option
  sed -i.bak 's/0.2222222222222222/0.25/' .eval_results/desk-questions.yaml
  git -c user.name={ADMIN} -c user.email={ADMIN}@users.noreply.localhost commit -am "Try another score"
  git push

Then look at {base_url}/datasets/glasshub/desk-questions
Stop the hub with Ctrl-C; its data stays in {settings.data}
"""
