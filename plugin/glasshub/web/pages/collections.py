"""The pages of collections: lists, one collection, the forms to keep it, and adding a repo from its card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast, get_args

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from glasshub import accounts, collecting
from glasshub.collecting import Listed, Shown
from glasshub.collection import MOST_OF_OWNER, THEMES, Item, Sort
from glasshub.errors import GlasshubError, Invalid, Unauthenticated
from glasshub.identity import Repo, RepoType, Role
from glasshub.index import queries
from glasshub.index.queries import cursor as cursors
from glasshub.index.rows import RepoRow
from glasshub.web.context import actor, hub, load_repo
from glasshub.web.pages.settings import user

bp = Blueprint("collections", __name__)
PER_PAGE = 30
ON_CARD = 3
_ONE = "/collections/<ns>/<slug>"


@dataclass(frozen=True, slots=True)
class Line:
    """An item with the index's row of its repo, if it is one."""

    item: Item
    row: RepoRow | None


@bp.get("/collections")
def everybodys() -> ResponseReturnValue:
    """All collections that the reader may see."""
    return _list_page("")


@bp.get("/collections/<ns>")
def of_account(ns: str) -> ResponseReturnValue:
    """The collections of a user or an organisation."""
    return _list_page(accounts.find(hub(), ns).name)


@bp.get("/collections/new")
def new() -> ResponseReturnValue:
    """The form for a new collection."""
    return _new_page()


@bp.post("/collections/new")
def create() -> ResponseReturnValue:
    """Make a collection."""
    name, form = user(), request.form
    try:
        shown = collecting.create(
            hub(),
            actor(),
            form.get("namespace") or name,
            form.get("title", ""),
            description=form.get("description", ""),
            private="private" in form,
            theme=form.get("theme", ""),
        )
    except GlasshubError as error:
        return _new_page(error=error.message), 400
    return redirect(shown.collection.path, code=303)


@bp.get(_ONE)
def one(ns: str, slug: str) -> ResponseReturnValue:
    """A collection."""
    shown = collecting.show(hub(), actor(), ns, slug)
    if request.path != shown.collection.path:
        return redirect(shown.collection.path)
    return render_template("collections/collection.html", shown=shown, lines=_lines(shown))


@bp.get(f"{_ONE}/edit")
def edit(ns: str, slug: str) -> ResponseReturnValue:
    """The forms to change a collection and what it holds."""
    return _edit_page(_mine(ns, slug))


@bp.post(f"{_ONE}/edit")
def change(ns: str, slug: str) -> ResponseReturnValue:
    """Save title, description, colour and visibility."""
    form = request.form
    try:
        shown = collecting.update(
            hub(),
            actor(),
            ns,
            slug,
            title=form.get("title", ""),
            description=form.get("description", ""),
            theme=form.get("theme") or None,
            private="private" in form,
        )
    except GlasshubError as error:
        return _edit_page(_mine(ns, slug), error=error.message), 400
    flash("The collection is saved.", "good")
    return redirect(shown.collection.path, code=303)


@bp.post(f"{_ONE}/delete")
def delete(ns: str, slug: str) -> ResponseReturnValue:
    """Delete a collection."""
    shown = _mine(ns, slug)
    collecting.delete(hub(), actor(), ns, slug)
    flash(f"The collection {shown.collection.title} is deleted.", "good")
    return redirect(f"/collections/{shown.collection.owner}", code=303)


@bp.post(f"{_ONE}/items")
def add(ns: str, slug: str) -> ResponseReturnValue:
    """Add what is named as in an address: ``ns/model``, ``datasets/ns/data``, ``collections/ns/slug``."""
    kind, name = _named(request.form.get("id", ""))
    try:
        shown = collecting.add_item(hub(), actor(), ns, slug, type=kind, name=name, note=request.form.get("note", ""))
    except GlasshubError as error:
        return _edit_page(_mine(ns, slug), error=error.message), 400
    return redirect(f"{shown.collection.path}/edit", code=303)


@bp.post(f"{_ONE}/items/<item>")
def change_item(ns: str, slug: str, item: str) -> ResponseReturnValue:
    """Save the note of an item, move it ``up`` or ``down``, or take it out (``do``)."""
    shown, do = _mine(ns, slug), request.form.get("do", "save")
    place = next((it.position for it in shown.items if it.id == item), 0)
    try:
        if do == "remove":
            collecting.remove_item(hub(), actor(), ns, slug, item)
        elif do in ("up", "down"):
            position = max(0, place + (1 if do == "down" else -1))
            collecting.update_item(hub(), actor(), ns, slug, item, position=position)
        else:
            collecting.update_item(hub(), actor(), ns, slug, item, note=request.form.get("note", ""))
    except Invalid as error:
        return _edit_page(shown, error=error.message), 400
    return redirect(f"{shown.collection.path}/edit#item-{item}", code=303)


@bp.post(f"{_ONE}/upvote")
def upvote(ns: str, slug: str) -> ResponseReturnValue:
    """Vote for a collection (``up`` is 1), or no longer."""
    shown = collecting.vote(hub(), actor(), ns, slug, up=request.form.get("up") == "1")
    return redirect(shown.collection.path, code=303)


@bp.get("/<ns>/<name>/collect", defaults={"type": "model"})
@bp.get("/datasets/<ns>/<name>/collect", defaults={"type": "dataset"})
def collect(type: RepoType, ns: str, name: str) -> ResponseReturnValue:
    """Choose the collection to which a repo is added."""
    return _collect_page(load_repo(type, ns, name))


@bp.post("/<ns>/<name>/collect", defaults={"type": "model"})
@bp.post("/datasets/<ns>/<name>/collect", defaults={"type": "dataset"})
def add_repo(type: RepoType, ns: str, name: str) -> ResponseReturnValue:
    """Add a repo to one of the reader's collections, or to a new one of this ``title``."""
    repo, form = load_repo(type, ns, name), request.form
    namespace, _, slug = form.get("collection", "").partition("/")
    try:
        if not slug:
            made = collecting.create(hub(), actor(), user(), form.get("title", ""))
            namespace, _, slug = made.collection.slug.partition("/")
        note = form.get("note", "")
        shown = collecting.add_item(hub(), actor(), namespace, slug, type=repo.type, name=repo.repo_id, note=note)
    except Unauthenticated:
        raise
    except GlasshubError as error:
        return _collect_page(repo, error=error.message), 400
    flash(f"{repo.repo_id} is in {shown.collection.title} now.", "good")
    return redirect(shown.collection.path, code=303)


@bp.app_template_global("collections_with")
def collections_with(repo: Repo) -> Sequence[Shown]:
    """Some collections that hold a repo, those with most votes first."""
    return collecting.listing(hub(), actor(), holding=[repo], sort="upvotes", limit=ON_CARD).shown


@bp.app_template_global("collections_of")
def collections_of(owner: str) -> Listed:
    """The first collections of an account."""
    return collecting.listing(hub(), actor(), owners=[owner], sort="position", limit=ON_CARD)


def _list_page(owner: str) -> str:
    sort = request.args.get("sort") or ("position" if owner else "lastModified")
    if sort not in get_args(Sort):
        raise Invalid(f"There is no order called {sort!r}. Choose one of: {', '.join(get_args(Sort))}.")
    kind, cursor = f"collections {sort}", request.args.get("cursor")
    after = None if not cursor else cursors.decode(cursor, kind, str if sort == "lastModified" else int, str)
    found = collecting.listing(
        hub(),
        actor(),
        owners=[owner] if owner else [],
        sort=cast(Sort, sort),
        limit=PER_PAGE,
        after=None if after is None else (after[0], after[1]),
    )
    following = "" if found.following is None else cursors.encode(kind, *found.following)
    return render_template(
        "collections/list.html",
        owner=owner,
        listed=found.shown,
        sort=sort,
        cursor=cursor,
        following=following,
        may_write=bool(owner) and collecting.may_write(actor(), owner),
    )


def _new_page(*, error: str = "") -> str:
    name = user()
    spaces = [name, *(m.org for m in accounts.organisations_of(hub(), name) if m.role >= Role.WRITE)]
    asked = request.form if request.method == "POST" else request.args
    return render_template("collections/new.html", namespaces=spaces, form=asked, themes=THEMES, error=error)


def _edit_page(shown: Shown, *, error: str = "") -> str:
    return render_template("collections/edit.html", shown=shown, lines=_lines(shown), themes=THEMES, error=error)


def _collect_page(repo: Repo, *, error: str = "") -> str:
    name = user()
    owners = [name, *(m.org for m in accounts.organisations_of(hub(), name) if m.role >= Role.WRITE)]
    found = collecting.listing(hub(), actor(), owners=owners, limit=MOST_OF_OWNER)
    return render_template("collections/collect.html", repo=repo, listed=found.shown, form=request.form, error=error)


def _mine(ns: str, slug: str) -> Shown:
    """A collection that the reader may change. Raises ``NotFound``, ``Unauthenticated``, ``Forbidden``."""
    shown = collecting.show(hub(), actor(), ns, slug)
    collecting.require_write(actor(), shown.collection)
    return shown


def _lines(shown: Shown) -> list[Line]:
    db = hub().index.read()
    return [Line(item, queries.repo(db, item.repo.key) if item.repo is not None else None) for item in shown.items]


def _named(text: str) -> tuple[str, str]:
    """Type and id of what is named as in an address, or by the whole address."""
    path = text.strip().removeprefix(request.host_url).strip("/")
    for prefix, kind in (("datasets/", "dataset"), ("models/", "model"), ("collections/", "collection")):
        if path.startswith(prefix):
            return kind, path.removeprefix(prefix)
    return "model", path
