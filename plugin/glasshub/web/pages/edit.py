"""Editing a text file, or writing a new one, on a branch, in a pull request, or as a new pull request."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from dulwich.repo import Repo as GitRepo
from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from glasshub import access, edits, pulls
from glasshub.access import Action
from glasshub.desk import MAIN, PULLS, Desk
from glasshub.edits import BRANCHES, Edit
from glasshub.errors import (
    Conflict,
    EntryNotFound,
    Forbidden,
    GlasshubError,
    Invalid,
    PreconditionFailed,
    RevisionNotFound,
)
from glasshub.git.build import Put
from glasshub.git.lfs_rules import rules_at
from glasshub.git.pointers import pointer_at
from glasshub.git.read import TreeEntry, entry, list_refs, open_repo, read_blob, split_revision_path
from glasshub.identity import RepoType
from glasshub.index import queries
from glasshub.result_files import printable
from glasshub.text_files import MAX_BYTES, from_form, to_form
from glasshub.web.context import actor, hub
from glasshub.web.errors import status_of
from glasshub.web.links import blob_url, edit_url, new_file_url, with_query
from glasshub.web.pages.repo_view import RepoView, repo_routes, view_repo

bp = Blueprint("edit", __name__)
COMMIT, PROPOSE = "commit", "pull"
_BRANCH_NAME = "main"
_PULL = re.compile(r"refs/pr/[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class Page:
    """A file as it stands now and as it is to be.

    Attributes:
        view: the repo.
        ref: the full name of the branch or pull request, ``rev`` the same as people write it.
        tip: its commit (``""``: the repo is empty).
        path: of the file; for a new one the folder that it was begun in.
        new: whether it is a new file.
        data: what the file has now.
        oid: the id of that (``""``: there is no such file).
        executable: its mode.
        ways: what the reader may do, the usual first.
    """

    view: RepoView
    ref: str
    rev: str
    tip: str
    path: str
    new: bool
    data: bytes = b""
    oid: str = ""
    executable: bool = False
    ways: tuple[str, ...] = ()


@repo_routes(bp, "/edit/<path:rest>")
def edit(type: RepoType, ns: str, name: str, rest: str) -> ResponseReturnValue:
    """The form with a file in it; what is not there yet is begun as a new file."""
    page = _open(type, ns, name, rest, new=False)
    if not page.oid:
        return redirect(with_query(new_file_url(page.view.path, page.rev), path=page.path))
    return _form(page, to_form(page.data) or "", page.path)


@repo_routes(bp, "/new-file/<path:rest>")
def new_file(type: RepoType, ns: str, name: str, rest: str) -> ResponseReturnValue:
    """The form for a new file."""
    page = _open(type, ns, name, rest, new=True)
    return _form(page, "", request.args.get("path", "")[:1000] or (f"{page.path}/" if page.path else ""))


@repo_routes(bp, "/edit/<path:rest>", methods=("POST",))
def save(type: RepoType, ns: str, name: str, rest: str) -> ResponseReturnValue:
    """Commit the file as it was typed, unless somebody changed it meanwhile."""
    page = _open(type, ns, name, rest, new=False)
    return _save(page, page.path)


@repo_routes(bp, "/new-file/<path:rest>", methods=("POST",))
def create(type: RepoType, ns: str, name: str, rest: str) -> ResponseReturnValue:
    """Commit a new file."""
    page = _open(type, ns, name, rest, new=True)
    return _save(page, request.form.get("path", "").strip().strip("/"))


def _open(type: RepoType, ns: str, name: str, rest: str, *, new: bool) -> Page:
    view = view_repo(type, ns, name, Action.READ if new else Action.READ_FILES)
    access.require(actor(), Action.DISCUSS, view.repo)
    with open_repo(hub().git_dir(view.repo)) as git:
        page = _find(git, view, rest, new=new)
        page = replace(page, ways=_ways(page))
        return page if new else _with_file(git, page)


def _find(git: GitRepo, view: RepoView, rest: str, *, new: bool) -> Page:
    try:
        rev, path = split_revision_path(git, rest)
    except RevisionNotFound:
        first, _, path = rest.partition("/")
        if not new or first != _BRANCH_NAME or list_refs(git, BRANCHES):
            raise
        return Page(view, MAIN, _BRANCH_NAME, "", path, new)
    if not rev.ref.startswith(BRANCHES) and not _PULL.fullmatch(rev.ref):
        raise Invalid("Files are edited on a branch or in a pull request. Choose a branch first.")
    if printable(path) != path:
        raise Invalid("This name has characters that are no Unicode text. Rename the file with git.")
    return Page(view, rev.ref, rev.text, rev.commit, path, new)


def _ways(page: Page) -> tuple[str, ...]:
    """What the reader may do here. Raises ``Forbidden`` when it is nothing."""
    repo, who = page.view.repo, actor()
    may_commit = _may_push(page) if page.ref.startswith(PULLS) else access.may(who, Action.WRITE, repo)
    may_propose = page.ref == MAIN and bool(page.tip) and repo.pulls_enabled
    if not may_commit and not may_propose:
        raise Forbidden(_no_way(page))
    return (COMMIT,) * may_commit + (PROPOSE,) * may_propose


def _no_way(page: Page) -> str:
    if page.ref != MAIN:
        return f"You may not commit to {page.rev}. Propose a change of the file on main instead."
    if not page.tip:
        return (
            "This repo is empty, so nothing can be proposed to it yet. Somebody who may write to it has to push first."
        )
    return pulls.switched_off(page.view.repo)


def _may_push(page: Page) -> bool:
    """Whether the reader may commit to this pull request. Raises ``Conflict`` when it takes no more commits."""
    number = int(page.ref.removeprefix(PULLS))
    pull = queries.discussion(hub().index.read(), page.view.repo.key, number)
    if pull is None or not access.may(actor(), Action.PUSH_PULL, page.view.repo, author=pull.author):
        return False
    if pull.status in ("closed", "merged"):
        raise Conflict(f"Pull request {number} is {pull.status}; it takes no more commits.")
    return True


def _with_file(git: GitRepo, page: Page) -> Page:
    """The page with the file in it, if it is there. Raises ``Invalid`` for what no form can hold."""
    try:
        found = entry(git, page.tip, page.path)
    except EntryNotFound:
        return page
    if found.kind != "file":
        raise Invalid(f"{page.path[:200]} is a {found.kind}; only files can be edited here.")
    return replace(page, data=_text(git, found), oid=found.oid, executable=bool(found.mode & 0o111))


def _text(git: GitRepo, found: TreeEntry) -> bytes:
    if found.size > MAX_BYTES:
        raise Invalid(f"The file has {found.size:,} bytes; up to {MAX_BYTES:,} can be edited here. Use git.")
    data = read_blob(git, found.oid, limit=MAX_BYTES)
    if to_form(data) is None:
        raise Invalid("This is not a text file. Change it with git.")
    if pointer_at(git, found) is not None:
        raise Invalid("This stands for a large file, which is kept elsewhere. Upload a new one with git or a client.")
    return data


def _save(page: Page, path: str) -> ResponseReturnValue:
    typed, shown = request.form.get("text", ""), request.form.get("blob", "")
    way = request.form.get("way", page.ways[0])
    try:
        if way not in page.ways:
            raise Invalid("This cannot be saved that way. Choose another.")
        if not path.isprintable():
            raise Invalid(
                "The path has characters that cannot be seen. Use letters, digits, and what else you can read."
            )
        if page.new:
            _refuse_large(page, path)
        data = from_form(typed, page.data)
        if len(data) > MAX_BYTES:
            raise Invalid(f"The text has {len(data):,} bytes; up to {MAX_BYTES:,} can be saved here. Use git.")
        made = _commit(page, path, data, shown, way)
    except PreconditionFailed:
        return _conflict(page, path, typed), 409
    except (Invalid, Conflict, Forbidden) as error:
        access.require(actor(), Action.DISCUSS, page.view.repo)
        return _form(page, typed, path, blob=shown, error=error.message), status_of(error)
    if made.pull:
        return redirect(f"{page.view.path}/discussions/{made.pull}", code=303)
    flash("Nothing was changed, so there is no commit." if made.commit == page.tip else "The file is saved.", "good")
    if page.ref.startswith(PULLS):
        return redirect(f"{page.view.path}/discussions/{page.ref.removeprefix(PULLS)}", code=303)
    return redirect(blob_url(page.view.path, page.rev, path), code=303)


def _refuse_large(page: Page, path: str) -> None:
    """Raises ``Invalid`` for what ``.gitattributes`` gives to Git LFS: once saved, no form could edit it again."""
    with open_repo(hub().git_dir(page.view.repo)) as git:
        if rules_at(git, page.tip).cover(path):
            raise Invalid(f".gitattributes gives {path[:200]} to Git LFS. Upload it with git or a client.")


def _commit(page: Page, path: str, data: bytes, shown: str, way: str) -> edits.Made:
    verb = "Add" if page.new else "Update"
    message = request.form.get("message", "").strip() or f"{verb} {path}"[:200]
    change = Edit([Put(path, data, page.executable)], message, request.form.get("description", ""))

    def unchanged(desk: Desk) -> None:
        now = _oid(desk, page.ref, path)
        if now != shown:
            raise PreconditionFailed("Somebody changed the file meanwhile.")

    repo, who = page.view.repo, actor()
    if way == PROPOSE:
        return edits.propose(hub(), repo, who, change, check=unchanged)
    return edits.commit(hub(), repo, who, change, ref=page.ref, check=unchanged)


def _oid(desk: Desk, ref: str, path: str) -> str:
    """The id of what stands at a path now (``""``: nothing)."""
    tip = desk.ref(ref)
    try:
        return entry(desk.git, tip, path).oid if tip else ""
    except EntryNotFound:
        return ""


def _conflict(page: Page, path: str, typed: str) -> str:
    """The form once more, with what was typed and beside it what stands there now."""
    if page.new:
        return _form(page, typed, path, error=f"There is a file {path[:200]} already. Choose another path, or edit it.")
    with open_repo(hub().git_dir(page.view.repo)) as git:
        tip = list_refs(git, page.ref).get(page.ref, "")
        try:
            theirs = _with_file(git, replace(page, tip=tip, data=b"", oid=""))
        except GlasshubError as error:  # a folder, or no text any more
            return _form(page, typed, path, error=error.message)
    return _form(page, typed, path, blob=theirs.oid, theirs=theirs)


def _form(
    page: Page, text: str, path: str, *, blob: str | None = None, theirs: Page | None = None, error: str = ""
) -> str:
    return render_template(
        "files/edit.html",
        view=page.view,
        page=page,
        text=text,
        path=path,
        action=(new_file_url if page.new else edit_url)(page.view.path, page.rev, page.path),
        blob=page.oid if blob is None else blob,
        theirs=theirs,
        theirs_text=to_form(theirs.data) if theirs else "",
        said=request.form,
        error=error,
    )
