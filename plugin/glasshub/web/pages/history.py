"""Commits of a repo, and what each of them changed."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from glasshub.access import Action
from glasshub.errors import RevisionNotFound
from glasshub.git.diff import diff_commits
from glasshub.git.read import commit as read_commit
from glasshub.git.read import history, list_refs, open_repo, resolve_revision, split_revision_path
from glasshub.identity import RepoType
from glasshub.web.context import hub
from glasshub.web.links import commits_url
from glasshub.web.pages.files import ref_list
from glasshub.web.pages.pulls_files import MOST_BYTES, MOST_FILES, asked_file, diff_page
from glasshub.web.pages.repo_view import repo_routes, view_repo

bp = Blueprint("history", __name__)
PER_PAGE = 50
MOST_SKIPPED = 100_000


@repo_routes(bp, "/commits/<path:rest>")
def commits(type: RepoType, ns: str, name: str, rest: str) -> ResponseReturnValue:
    """The history of a revision, or of one path in it, newest first."""
    view = view_repo(type, ns, name)
    skip = min(max(0, request.args.get("skip", 0, type=int)), MOST_SKIPPED)
    with open_repo(hub().git_dir(view.repo)) as git:
        try:
            rev, path = split_revision_path(git, rest)
        except RevisionNotFound:
            if list_refs(git, "refs/heads/"):
                raise
            return render_template("files/empty.html", view=view)
        found = history(git, rev.commit, path, skip=skip, limit=PER_PAGE + 1)
        return render_template(
            "history/commits.html",
            view=view,
            rev=rev,
            path=path,
            commits=found[:PER_PAGE],
            skip=skip,
            next_skip=skip + PER_PAGE if len(found) > PER_PAGE else 0,
            refs=ref_list(git, view, rev, path, commits_url),
        )


@repo_routes(bp, "/commit/<id>")
def commit(type: RepoType, ns: str, name: str, id: str) -> ResponseReturnValue:
    """One commit and its difference from its first parent."""
    view = view_repo(type, ns, name, Action.READ_FILES)
    with open_repo(hub().git_dir(view.repo)) as git:
        found = read_commit(git, resolve_revision(git, id).commit)
        parent = found.parents[0] if found.parents else None
        only = asked_file()
        changes = diff_commits(git, parent, found.id, max_files=MOST_FILES + 1, max_bytes=MOST_BYTES, only=only)
        page = diff_page(git, changes, only)
    return render_template(
        "history/commit.html",
        view=view,
        commit=found,
        page=page,
    )
