"""``glasshub export``: what it writes, for whom, and what it says when it cannot."""

from __future__ import annotations

import csv
import json
import subprocess
import sys

import pytest

from glasshub import accounts
from glasshub.config import Settings
from glasshub.hub import open_hub
from tests.cli.shell import Answer, glasshub
from tests.index.town import Town, eval_yaml, result

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A hub with a benchmark of two tasks, a public model, a fine-tune of it and a private model."""
    folder = tmp_path_factory.mktemp("export") / "data"
    hub = open_hub(Settings(data=folder))
    accounts.add_user(hub, "ada")
    accounts.add_user(hub, "bob")
    town = Town(hub)
    town.dataset("ada/cap", eval_yaml("europe", "asia"))
    town.model("ada/one", result("ada/cap", "europe", 0.5) + result("ada/cap", "asia", 0.25))
    town.model("bob/tuned", result("ada/cap", "europe", 0.9), card="---\nbase_model: ada/one\n---\n")
    town.model("ada/secret", result("ada/cap", "europe", 0.8), private=True)
    hub.close()
    return str(folder)


def export(data: str, *words: str) -> Answer:
    return glasshub("export", *words, "--data", data)


def models(answer: Answer) -> list[str]:
    assert (answer.code, answer.err) == (0, "")
    return [json.loads(line)["model"] for line in answer.out.splitlines()]


def test_it_writes_what_is_public_or_what_a_user_may_read(data: str):
    assert models(export(data, "hub")) == ["ada/one", "ada/one", "bob/tuned"]
    assert models(export(data, "hub", "--as", "bob")) == ["ada/one", "ada/one", "bob/tuned"]
    assert models(export(data, "hub", "--as", "ada")) == ["ada/one", "ada/one", "ada/secret", "bob/tuned"]
    assert models(export(data, "hub", "--base-model", "true")) == ["ada/one", "ada/one"]
    assert models(export(data, "leaderboard", "ada/cap")) == ["ada/one"]
    assert models(export(data, "leaderboard", "ada/cap", "--base-model", "false")) == ["bob/tuned", "ada/one"]
    assert models(export(data, "leaderboard", "ada/cap", "--num-parameters", "max:7B")) == []
    assert models(export(data, "benchmark", "ada/cap", "--as", "ada")) == ["ada/secret", "ada/one", "ada/one"]
    assert models(export(data, "model", "ada/secret", "--as", "ada")) == ["ada/secret"]


def test_a_file_is_whole_or_not_there(data: str, tmp_path):
    file = tmp_path / "europe.csv"
    assert export(data, "leaderboard", "ada/cap", "--task", "europe", "--output", str(file)) == Answer(0, "", "")
    with file.open(newline="") as opened:
        assert [row["value"] for row in csv.DictReader(opened)] == ["0.5"]
    nowhere = export(data, "hub", "--output", str(tmp_path / "none" / "a.csv"))
    assert nowhere.code == 1
    assert "none" in nowhere.err
    assert [path.name for path in tmp_path.iterdir()] == ["europe.csv"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("model",), 2, "namespace/name"),
        (("model", "ada/one", "--task", "x"), 2, "--task"),
        (("hub", "--num-parameters", "max:7B"), 2, "--num-parameters"),
        (("leaderboard", "ada/cap", "--num-parameters", "many"), 1, "min:1B,max:7B"),
        (("leaderboard", "ada/cap", "--task", "africa"), 1, "'africa'"),
        (("model", "ada/secret"), 1, "Repository Not Found"),
        (("model", "ada/secret", "--as", "bob"), 1, "Repository Not Found"),
        (("hub", "--output", "a.xls"), 1, "csv, jsonl, parquet"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(data: str, words: tuple[str, ...], code: int, said: str):
    answer = export(data, *words)
    assert (answer.code, answer.out, len(answer.err.splitlines())) == (code, "", 1)
    assert said in answer.err


def test_a_reader_that_goes_away_leaves_no_noise(data: str):
    command = [sys.executable, "-m", "glasshub", "export", "hub", "--data", data]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()  # as `| head` does
        assert process.wait(30) != 0
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()
