"""What happens in the demo hub once its repos are there: scores proposed, merged, disputed and hidden.

Each folder of ``sample_repos/pulls/`` is one pull request: ``pull.yaml`` says to which repo, by whom, and what follows;
the other files are what it adds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from glasshub import accounts, discussions, edits, pulls, receive, repos, results
from glasshub.conversation import Discussion
from glasshub.edits import Edit
from glasshub.git.build import Put
from glasshub.git.read import open_repo, resolve_revision
from glasshub.hub import Hub
from glasshub.identity import Repo
from glasshub.proposals import read_proposal
from glasshub.record import Record

FOLDER = Path(__file__).with_name("sample_repos") / "pulls"


@dataclass(frozen=True, slots=True)
class Story:
    """One pull request and what follows: a list of ``{by, comment|merge|hide}``."""

    repo_id: str
    author: str
    title: str
    description: str
    then: tuple[Mapping[str, Any], ...]
    files: Mapping[str, bytes]


def stories() -> Iterator[Story]:
    """The stories of the demo in order."""
    for folder in sorted(path.parent for path in FOLDER.glob("*/pull.yaml")):
        told = yaml.safe_load((folder / "pull.yaml").read_text("utf-8"))
        files = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != "pull.yaml"
        }
        then = tuple(told.get("then", ()))
        yield Story(told["repo"], told["author"], told["title"], told["description"], then, files)


def authors() -> set[str]:
    """The accounts that open the pull requests."""
    return {story.author for story in stories()}


def tell(hub: Hub, story: Story) -> None:
    """Let a story happen, or what is missing of it after a crash."""
    repo = repos.find(hub, "model", *story.repo_id.split("/"))
    found = _find(hub, repo, story)
    if found is None:
        operations = [Put(path, data) for path, data in story.files.items()]
        edits.propose(
            hub, repo, accounts.actor_for(hub, story.author), Edit(operations, story.title, story.description)
        )
    for step in story.then:
        _step(hub, repo, story, step)


def _step(hub: Hub, repo: Repo, story: Story, step: Mapping[str, Any]) -> None:
    found = _find(hub, repo, story)
    assert found is not None
    decide = partial(receive.decide, hub, repo, accounts.actor_for(hub, step["by"]))
    if "comment" in step and step["comment"].strip() not in [comment.body for comment in found.comments.values()]:
        decide(partial(discussions.comment, number=found.number, body=step["comment"]))
    if "merge" in step and found.status == "open":
        decide(partial(pulls.merge, number=found.number, how=step["merge"]))
    if "hide" in step:
        for result_id in _proposed(hub, repo, found) - _record(hub, repo).hidden.keys():
            decide(partial(results.hide_result, result_id=result_id, reason=step["hide"]))


def _record(hub: Hub, repo: Repo) -> Record:
    with open_repo(hub.git_dir(repo)) as git:
        return Record.read(hub, repo.key, repo.repo_id, git)


def _find(hub: Hub, repo: Repo, story: Story) -> Discussion | None:
    """The pull request of a story, if it was opened before."""
    known = _record(hub, repo).discussions.values()
    return next((found for found in known if found.is_pull and found.title == story.title), None)


def _proposed(hub: Hub, repo: Repo, found: Discussion) -> set[str]:
    """The ids of the results that a pull request proposes."""
    with open_repo(hub.git_dir(repo)) as git:
        main = resolve_revision(git, "main").commit
        return {result.id for result in read_proposal(git, main, found.head).added}
