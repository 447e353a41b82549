"""Wrong input gives one clear line on standard error, nothing on standard output, and the exit code that fits."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from glasshub import accounts, config, repos
from glasshub.cli import main
from glasshub.hub import open_hub
from tests.cli.shell import Answer, Shell

WRONG = {
    ("frobnicate",): (2, "No such command 'frobnicate'"),
    ("user", "frobnicate"): (2, "No such command 'frobnicate'"),
    ("user", "add"): (2, "Missing argument 'NAME'"),
    ("user", "add", "TAKEN"): (1, "That name is taken"),
    ("user", "add", "a/b"): (1, "cannot be an account name"),
    ("user", "add", "settings"): (1, "reserved"),
    ("user", "change", "taken"): (2, "Say what to change"),
    ("user", "change", "nobody", "--admin"): (1, "There is no user or organisation called nobody"),
    ("user", "password", "taken"): (2, "--password-stdin"),
    ("user", "password", "taken", "--password-stdin"): (1, "8 to 1,000 characters"),
    ("token", "add", "lab"): (1, "lab is an organisation; name a user"),
    ("token", "add", "taken", "--scope", "admin"): (2, "'admin' is not one of 'read', 'write'"),
    ("token", "revoke", "taken", "zzz"): (1, "has no token zzz"),
    ("org", "add", "other"): (2, "Missing option '--admin'"),
    ("org", "member", "lab", "taken", "--role", "read"): (1, "needs at least one admin"),
    ("repo", "add", "model", "taken"): (1, "Write it as namespace/name"),
    ("repo", "add", "model", "taken/m"): (1, "already exists"),
    ("repo", "add", "space", "taken/m"): (2, "'space' is not one of 'model', 'dataset'"),
    ("repo", "delete", "dataset", "taken/m", "--yes"): (1, "There is no dataset called taken/m"),
    ("repo", "delete", "model", "taken/m"): (1, "Stopped"),
    ("repo", "delete", "model", "taken/old", "--yes"): (1, "The model taken/old is now called taken/m"),
    ("benchmark", "approve", "taken/none"): (1, "There is no dataset called taken/none"),
    ("serve", "--port", "99999"): (2, "not in the range"),
    ("repo", "list", "--data"): (2, "Name a folder after --data"),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Iterator[Path]:
    """A hub with a user, an organisation, and a repo that had another name."""
    data = tmp_path_factory.mktemp("wrong") / "data"
    hub = open_hub(config.load(data))
    accounts.add_user(hub, "taken")
    accounts.add_org(hub, "lab", admin="taken")
    owner = accounts.actor_for(hub, "taken")
    repos.move(hub, owner, repos.create(hub, owner, "model", "taken", "old"), "taken", "m")
    yield data
    assert [(account.name, account.is_admin) for account in accounts.listing(hub, "user")] == [("taken", False)]
    assert [repo.repo_id for repo in repos.every(hub)] == ["taken/m"]
    hub.close()


def check_answer(words: tuple[str, ...], answer: Answer) -> None:
    code, reason = WRONG[words]
    assert (answer.code, answer.out) == (code, "")
    assert reason in answer.err
    lines = answer.err.splitlines()
    assert len(lines) == (2 if reason == "Stopped" else 1), answer.err  # then a question stands before it
    assert lines[-1].startswith("glasshub: ")
    assert ("Usage: glasshub" in lines[-1]) is (code == 2)


@pytest.fixture
def here(monkeypatch, capsys) -> Callable[..., Answer]:
    """The command line without a process of its own, for the many cases that differ only in their words."""

    def run(*words: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["glasshub", *words])
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        with pytest.raises(SystemExit) as ended:
            main()
        return Answer(ended.value.code or 0, *capsys.readouterr())

    return run


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_it_is_told_in_one_line(data, monkeypatch, here, words):
    monkeypatch.setenv("GLASSHUB_DATA", str(data))
    check_answer(words, here(*words))


PLACES = {
    "first": ("--data", "first", "user", "add", "ada"),
    "inside": ("user", "--data", "inside", "add", "ada"),
    "last": ("user", "add", "ada", "--data", "last"),
    "joined": ("user", "add", "--data=joined", "ada"),
    "environment": ("user", "add", "ada"),
    "glasshub-data": ("user", "add", "ada"),
}


@pytest.mark.parametrize("place", PLACES)
def test_the_folder_may_be_named_anywhere(tmp_path: Path, monkeypatch, here, place: str):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GLASSHUB_DATA", "environment" if place == "environment" else "")
    assert here(*PLACES[place]) == Answer(0, "", "Added user ada.\n")
    assert [path.name for path in tmp_path.iterdir()] == [place]


@pytest.mark.slow
def test_processes_end_with_the_same_words_and_codes(data):
    some = [words for words in WRONG if words[0] in ("frobnicate", "benchmark", "serve")]
    for words in some:
        check_answer(words, Shell(data)(*words))


def test_a_mistyped_folder_is_an_error_and_makes_nothing(tmp_path: Path, monkeypatch, here):
    monkeypatch.chdir(tmp_path)
    answer = here("repo", "list")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith(f"glasshub: There is no hub in {tmp_path}/glasshub-data.")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_on_a_terminal_the_password_is_asked_twice_and_not_shown(tmp_path: Path):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "glasshub", "--data", str(tmp_path / "data"), "user", "add", "ada"]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    shown = ""
    for prompt in ("Password: ", "Repeat for confirmation: "):
        while not shown.endswith(prompt):
            shown += os.read(ours, 1000).decode()
        os.write(ours, b"correct horse\n")
    assert process.wait(20) == 0
    shown += os.read(ours, 1000).decode()
    os.close(ours)
    assert "correct" not in shown
    assert "Added user ada." in shown
    hub_file = (tmp_path / "data" / "registry.sqlite").read_bytes()
    assert b"$argon2id$v=19$m=65536,t=3,p=4$" in hub_file  # the cost that RFC 9106 recommends
    assert b"correct" not in hub_file


def test_a_broken_setting_and_a_registry_that_is_none_are_named(tmp_path: Path, here):
    data = tmp_path / "data"
    (data / "repos").mkdir(parents=True)
    (data / "glasshub.toml").write_text("colour = 'blue'\n")
    unknown = here("--data", str(data), "user", "list")
    (data / "glasshub.toml").write_text("")
    (data / "registry.sqlite").write_bytes(b"not a database at all, though long enough to look like a file" * 20)
    broken = here("--data", str(data), "user", "list")
    for answer, reason in ((unknown, "Unknown setting 'colour'"), (broken, "The registry is damaged")):
        assert (answer.code, answer.out, len(answer.err.splitlines())) == (1, "", 1)
        assert reason in answer.err
