"""One's own repos with their sizes, and the tags that there are, by the stock client."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from huggingface_hub.errors import HfHubHTTPError

from tests.api.lab import Lab, adds, status

pytestmark = pytest.mark.slow


def test_repos_are_listed_with_the_room_they_take(lab: Lab):
    repos = {lab.repo(a="1"), lab.repo(private=True, type="dataset", big="x" * 100)}
    listed = {repo.id: repo for repo in lab.api("reader").list_user_repos(lab.org)}
    assert repos <= listed.keys()
    private = next(repo for repo in listed.values() if repo.visibility == "private")
    assert (private.type, private.storage > 100, 0 < private.storage_percent < 100) == ("dataset", True, True)
    assert list(lab.api("stranger").list_user_repos()) == []
    lab.api("stranger").create_repo("mine")
    [mine] = lab.api("stranger").list_user_repos()
    assert (mine.id, mine.storage_percent) == (f"{lab.name('stranger')}/mine", 100)
    paged = lab.http("reader").get(f"/api/organizations/{lab.org}/settings/repositories?limit=1")
    assert (len(paged.json()), 'rel="next"' in paged.headers["Link"]) == (1, True)


def test_nobody_else_lists_them(lab: Lab):
    with pytest.raises(HfHubHTTPError) as raised:
        list(lab.api("stranger").list_user_repos(lab.org))
    assert status(raised.value)[0] == 403
    for path in ("/api/settings/repositories", f"/api/organizations/{lab.org}/settings/repositories"):
        assert lab.http("anonymous").get(path).status_code == 401
    for name in ("nobody-here", lab.name("reader")):
        assert lab.http("reader").get(f"/api/organizations/{name}/settings/repositories").status_code == 404


def test_the_command_shows_them(lab: Lab, tmp_path):
    repo = lab.repo(a="1")
    done = subprocess.run(
        [sys.executable, "-m", "huggingface_hub.cli.hf", "repos", "ls", "--namespace", lab.org, "--limit", "0",
         "--format", "json"],
        env={**os.environ, "HF_ENDPOINT": lab.live.url, "HF_TOKEN": lab.people["reader"].token,
             "HF_HOME": str(tmp_path)},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert repo in {item["id"] for item in json.loads(done.stdout)}


def test_tags_by_type(lab: Lab):
    card = "---\nlicense: mit\nlanguage: [en, de]\npipeline_tag: text-generation\nlibrary_name: keras\n"
    card += "tags: [odd-one]\n---\n"
    repo, hidden = lab.repo(), lab.repo(private=True)
    lab.api("admin").create_commit(repo, adds(**{"README.md": card}), commit_message="Card")
    secret = card.replace("odd-one", "secret-one")
    lab.api("admin").create_commit(hidden, adds(**{"README.md": secret}), commit_message="Card")
    tags = lab.api("reader").get_model_tags()
    ids = {kind: {tag["id"] for tag in found} for kind, found in tags.items()}
    assert "text-generation" in ids["pipeline_tag"]
    assert "keras" in ids["library"]
    assert "license:mit" in ids["license"]
    assert {"language:en", "language:de"} <= ids["language"]
    assert "odd-one" in ids["other"]
    assert "en" not in ids["other"]
    assert "secret-one" not in json.dumps(tags)
    datasets = lab.api("reader").get_dataset_tags()
    assert {"language", "license", "size_categories", "task_categories"} <= datasets.keys()


def test_every_filter_of_the_client_for_datasets_finds_what_cards_say(lab: Lab):
    said = {
        "language": "de",
        "multilinguality": "monolingual",
        "language_creators": "found",
        "size_categories": "1K<n<10K",
        "task_categories": "question-answering",
        "task_ids": "extractive-qa",
    }
    card = "".join(f"{key}: [{value}]\n" for key, value in said.items())
    card = f"---\n{card}annotations_creators: [crowdsourced]\nsource_datasets: [original]\n---\n"
    repo = lab.repo(type="dataset")
    made = adds(**{"README.md": card})
    lab.api("admin").create_commit(repo, made, commit_message="Card", repo_type="dataset")
    reader = lab.api("reader")
    for key, value in said.items():
        assert [one.id for one in reader.list_datasets(author=lab.org, **{key: value})] == [repo], key
        assert [*reader.list_datasets(author=lab.org, **{key: "another"})] == [], key
    for tag in ("annotations_creators:crowdsourced", "source_datasets:original"):
        assert [one.id for one in reader.list_datasets(author=lab.org, filter=tag)] == [repo]
    assert "language_creators:found" in {tag["id"] for tag in reader.get_dataset_tags()["language_creators"]}
