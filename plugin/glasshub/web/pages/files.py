"""Folders and files of a repo at any revision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dulwich.repo import Repo as GitRepo
from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from glasshub.access import Action
from glasshub.blobs.pointer import Pointer
from glasshub.cards import parse_card
from glasshub.errors import EntryNotFound, RevisionNotFound
from glasshub.git.pointers import pointer_at, pointers_among
from glasshub.git.read import (
    Commit,
    Revision,
    TreeEntry,
    entry,
    history,
    last_changes,
    list_refs,
    list_tree,
    open_repo,
    read_blob,
    resolve_revision,
    split_revision_path,
)
from glasshub.identity import RepoType
from glasshub.index import queries
from glasshub.index.rows import ProblemRow
from glasshub.web.context import hub
from glasshub.web.links import blob_url, resolve_url, tree_url
from glasshub.web.pages.card import markdown_html
from glasshub.web.pages.repo_view import MAIN, RepoView, repo_routes, view_repo
from glasshub.web.pages.source import as_text, language, source_lines

bp = Blueprint("file_pages", __name__)
MOST_SHOWN = 512 * 1024
PER_PAGE = 1000
MOST_REFS = 100  # of each kind; more are reached by their address
DATED = 200  # entries of a folder whose last change is looked up
IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".webp")  # served as what they are; SVG may hold scripts
LARGEST_PICTURE = 10 * 1024**2  # of those stored with Git LFS
MARKDOWN = (".md", ".markdown")


@dataclass(frozen=True, slots=True)
class Ref:
    """A branch or tag to switch to."""

    name: str
    kind: str
    address: str
    current: bool


@repo_routes(bp, "/tree/<path:rest>")
def tree(type: RepoType, ns: str, name: str, rest: str) -> ResponseReturnValue:
    """A folder: its entries with their last changes."""
    view = view_repo(type, ns, name)
    with open_repo(hub().git_dir(view.repo)) as git:
        try:
            rev, path = split_revision_path(git, rest)
        except RevisionNotFound:
            if list_refs(git, "refs/heads/"):
                raise
            return render_template("files/empty.html", view=view)
        if entry(git, rev.commit, path).kind != "directory":
            return redirect(blob_url(view.path, rev.text, path))
        entries = sorted(list_tree(git, rev.commit, path), key=lambda item: (item.kind != "directory", item.path))
        start = max(0, request.args.get("start", 0, type=int))
        shown = entries[start : start + PER_PAGE]
        return render_template(
            "files/tree.html",
            view=view,
            rev=rev,
            path=path,
            steps=_steps(view, rev, path),
            entries=shown,
            pointers=pointers_among(git, shown),
            total=len(entries),
            start=start,
            next_start=start + PER_PAGE if start + PER_PAGE < len(entries) else 0,
            changes=last_changes(git, rev.commit, [item.path for item in shown[:DATED]]),
            latest=_latest(git, rev, path),
            refs=ref_list(git, view, rev, path, tree_url),
        )


@repo_routes(bp, "/blob/<path:rest>")
def blob(type: RepoType, ns: str, name: str, rest: str) -> ResponseReturnValue:
    """A file: highlighted, rendered (Markdown, unless ``view=source``), shown (images) or offered for download."""
    view = view_repo(type, ns, name, Action.READ_FILES)
    with open_repo(hub().git_dir(view.repo)) as git:
        rev, path = split_revision_path(git, rest)
        found = entry(git, rev.commit, path)
        if found.kind == "directory":
            return redirect(tree_url(view.path, rev.text, path))
        if found.kind == "submodule":
            raise EntryNotFound(f"{path} is a submodule: a commit of another repository ({found.oid}).")
        pointer = pointer_at(git, found)
        return render_template(
            "files/blob.html",
            view=view,
            rev=rev,
            path=path,
            found=found,
            steps=_steps(view, rev, path),
            latest=_latest(git, rev, path),
            refs=ref_list(git, view, rev, path, blob_url),
            download=resolve_url(view.path, rev.text, path),
            pointer=pointer,
            size=pointer.size if pointer else found.size,
            **(_large(found, pointer) if pointer else _content(git, view, rev, found)),
        )


def _large(found: TreeEntry, pointer: Pointer) -> dict[str, object]:
    """How to show what lies outside of git: small pictures as such, all else as a download."""
    picture = found.path.lower().endswith(IMAGES) and pointer.size <= LARGEST_PICTURE
    return {"mode": "image" if picture else "lfs", "switch": False}


def _content(git: GitRepo, view: RepoView, rev: Revision, found: TreeEntry) -> dict[str, object]:
    """How to show a file: ``mode`` is image, large, binary, markdown or source, with what that needs."""
    name = found.path.lower()
    if name.endswith(IMAGES) and found.kind == "file":
        return {"mode": "image", "switch": False}
    if found.size > MOST_SHOWN:
        return {"mode": "large", "switch": False}
    text = as_text(read_blob(git, found.oid, limit=MOST_SHOWN))
    if text is None:
        return {"mode": "binary", "switch": False}
    is_markdown = name.endswith(MARKDOWN)
    if is_markdown and request.args.get("view") != "source":
        body = parse_card(text.encode()).body
        html = markdown_html(body, view.path, rev.text, found.path)
        return {"mode": "markdown", "switch": True, "html": html}
    return {
        "mode": "source",
        "switch": is_markdown,
        "language": language(found.path),
        "lines": source_lines(text, found.path, _problems(view, rev, found.path)),
    }


def _problems(view: RepoView, rev: Revision, path: str) -> Sequence[ProblemRow]:
    # The index knows the problems of main as it is now; other revisions may differ.
    if rev.commit != view.row.head:
        return ()
    return [row for row in queries.problems(hub().index.read(), view.repo.key) if row.path == path]


def _latest(git: GitRepo, rev: Revision, path: str) -> Commit | None:
    return next(iter(history(git, rev.commit, path, limit=1)), None)


def _steps(view: RepoView, rev: Revision, path: str) -> list[tuple[str, str]]:
    parts = path.split("/") if path else []
    steps = [(view.repo.name, tree_url(view.path, rev.text))]
    return steps + [(part, tree_url(view.path, rev.text, "/".join(parts[: n + 1]))) for n, part in enumerate(parts)]


def ref_list(
    git: GitRepo, view: RepoView, rev: Revision, path: str, address: Callable[[str, str, str], str]
) -> list[Ref]:
    """Branches and tags to switch to, the one shown and ``main`` first.

    Each has the address of the same path there, or of its root where it lacks it.
    """
    found = []
    for prefix, kind in (("refs/heads/", "branch"), ("refs/tags/", "tag")):
        names = sorted(list_refs(git, prefix), key=lambda ref: (ref != rev.ref, ref != f"refs/heads/{MAIN}", ref))
        for ref in names[:MOST_REFS]:
            name = ref.removeprefix(prefix)
            there = path if _has(git, ref, path) else ""
            to = address(view.path, name, there) if there or not path else tree_url(view.path, name)
            found.append(Ref(name, kind, to, ref == rev.ref))
    return found


def _has(git: GitRepo, ref: str, path: str) -> bool:
    try:
        entry(git, resolve_revision(git, ref).commit, path)
    except (EntryNotFound, RevisionNotFound):
        return False
    return True
