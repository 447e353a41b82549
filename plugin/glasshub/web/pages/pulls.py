"""A pull request's commits, and the files that it changes."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from glasshub.access import Action
from glasshub.conversation import Discussion
from glasshub.errors import NotFound
from glasshub.git.read import open_repo
from glasshub.identity import RepoType
from glasshub.web.context import hub
from glasshub.web.pages.discussions_page import ONE, discussion_of
from glasshub.web.pages.pulls_files import MOST_FILES, asked_file, diff_page
from glasshub.web.pages.pulls_view import PullView
from glasshub.web.pages.repo_view import RepoView, repo_routes, view_repo

bp = Blueprint("pull_requests", __name__)


@repo_routes(bp, f"{ONE}/commits")
def commits(type: RepoType, ns: str, name: str, number: int) -> ResponseReturnValue:
    """The commits that a pull request brings, oldest first."""
    view = view_repo(type, ns, name)
    found = _pull_of(view, number)
    with open_repo(hub().git_dir(view.repo)) as git:
        return render_template("discussions/commits.html", view=view, found=found, pull=PullView.open(git, found))


@repo_routes(bp, f"{ONE}/files")
def files(type: RepoType, ns: str, name: str, number: int) -> ResponseReturnValue:
    """What a pull request changes against its merge base (``view=split``: side by side; ``file=N``: one alone)."""
    view = view_repo(type, ns, name, Action.READ_FILES)
    found = _pull_of(view, number)
    with open_repo(hub().git_dir(view.repo)) as git:
        pull = PullView.open(git, found)
        only = asked_file()
        page = diff_page(git, pull.changes(max_files=MOST_FILES, only=only), only)
        return render_template("discussions/files.html", view=view, found=found, pull=pull, page=page)


def _pull_of(view: RepoView, number: int) -> Discussion:
    found = discussion_of(view, number)
    if not found.is_pull:
        raise NotFound(f"Number {number} of {view.repo.repo_id} is a discussion, not a pull request.")
    return found
