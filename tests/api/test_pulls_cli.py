"""The command ``hf`` against the hub, as people type it."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.api.lab import Lab, adds

pytestmark = pytest.mark.slow


@dataclass
class Hf:
    """Runs ``hf`` for the people of a lab, with a home of its own."""

    lab: Lab
    home: Path

    def __call__(self, who: str, *arguments: str, code: int = 0, said: str | None = None) -> str:
        token = self.lab.people[who].token if who in self.lab.people else ""
        env = {
            **{key: value for key, value in os.environ.items() if not key.startswith("HF_")},
            "HF_ENDPOINT": self.lab.live.url, "HF_HOME": str(self.home), "HF_TOKEN": token,
            "HF_HUB_DISABLE_UPDATE_CHECK": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "NO_COLOR": "1",
        }  # fmt: skip
        command = [str(Path(sys.executable).with_name("hf")), *arguments]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, input=said)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def hf(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Hf:
    return Hf(lab, tmp_path_factory.mktemp("hf"))


def test_a_pull_request_from_the_first_file_to_the_merge(hf: Hf, lab: Lab, tmp_path: Path):
    repo = lab.repo(kept="1\n")
    (tmp_path / "score.txt").write_text("0.5\n")
    (tmp_path / "shot.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    as_pull = ("--create-pr", "--commit-message", "Add a score")
    hf("author", "upload", repo, str(tmp_path / "score.txt"), "score.txt", *as_pull)
    hf("author", "discussions", "comment", repo, "1", "--body", "See:", "--attach", f"{tmp_path / 'shot.png'}#The run")
    comment = lab.api("author").get_discussion_details(repo, 1).events[-1]
    assert f"![The run]({lab.live.url}/uploads/" in comment.content
    hf("author", "discussions", "edit", repo, "1", comment.id, "--body", "Seen.")
    hf("author", "discussions", "rename", repo, "1", "Add the score")
    assert "+0.5" in hf("reader", "discussions", "diff", repo, "1")
    hf("author", "discussions", "close", repo, "1", "--comment", "Wait.", "--yes")
    assert '"num": 1' not in hf("reader", "discussions", "list", repo, "--format", "json")
    hf("author", "discussions", "reopen", repo, "1", "--yes")
    assert "Forbidden" in hf("author", "discussions", "merge", repo, "1", "--yes", code=1)
    hf("writer", "discussions", "merge", repo, "1", "--comment", "Thanks!", "--yes")
    [listed] = json.loads(hf("reader", "discussions", "list", repo, "--status", "merged", "--format", "json"))
    assert (listed["num"], listed["title"], listed["status"]) == (1, "Add the score", "merged")
    told = json.loads(hf("anonymous", "discussions", "info", repo, "1", "--format", "json"))
    assert told["merge_commit_oid"] == lab.api("reader").model_info(repo).sha
    assert [event["type"] for event in told["events"]] == [
        "comment", "commit", "comment", "title-change", "comment", "status-change", "status-change", "comment",
        "status-change",
    ]  # fmt: skip


def test_creating_by_hand_and_listing(hf: Hf, lab: Lab):
    repo = lab.repo(type="dataset")
    options = ("--type", "dataset")
    hf("stranger", "discussions", "create", repo, "--title", "Odd rows", "--body-file", "-", *options, said="Row *7*.")
    made = hf("stranger", "discussions", "create", repo, "--title", "Mend row 7", "--pull-request", *options)
    assert "refs/pr/2" in made
    items = json.loads(hf("anonymous", "discussions", "list", repo, "--format", "json", *options))
    assert [(item["num"], item["is_pull_request"]) for item in items] == [(2, True), (1, False)]
    only = ("--kind", "discussion", "--author", lab.name("stranger"), "--format", "json")
    assert len(json.loads(hf("anonymous", "discussions", "list", repo, *only, *options))) == 1
    assert lab.api("reader").get_discussion_details(repo, 1, repo_type="dataset").events[0].content == "Row *7*."


def test_whoever_may_not_is_told_so(hf: Hf, lab: Lab):
    private = lab.repo(private=True, a="1")
    lab.api("reader").create_commit(private, adds(b="2"), commit_message="Inside", create_pr=True)
    assert "not found" in hf("stranger", "discussions", "info", private, "1", code=1).lower()
    assert "Inside" in hf("reader", "discussions", "info", private, "1")
    public = lab.repo()
    assert "401" in hf("anonymous", "discussions", "create", public, "--title", "Hello there", code=1)


def test_a_folder_uploaded_to_a_new_repo(hf: Hf, lab: Lab, tmp_path: Path):
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# New\n")
    (folder / "sub/weights.bin").write_bytes(secrets.token_bytes(25_600))
    repo = f"{lab.org}/by-hand"
    hf("writer", "upload", repo, str(folder), "--private")
    info = lab.api("writer").model_info(repo)
    assert info.private
    assert {item.rfilename for item in info.siblings} == {".gitattributes", "README.md", "sub/weights.bin"}
    hf("admin", "repos", "delete", repo, "--yes")
    assert not lab.api("writer").repo_exists(repo)
