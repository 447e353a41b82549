"""Import the file of an evaluation tool: upload it, answer what it leaves open, and it becomes a pull request."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from glasshub import access, importing, staged_files
from glasshub.access import Action
from glasshub.errors import Busy, Conflict, Forbidden, Invalid, TooLarge
from glasshub.evals.importers.proposal import LogFile, Proposal
from glasshub.importing import Import
from glasshub.log_formats import read_log
from glasshub.submissions import NEW_PULL
from glasshub.web.context import actor, hub, public_url
from glasshub.web.errors import status_of
from glasshub.web.pages.import_sheet import MOST_SHOWN, ImportSheet, entry_fields, read_sheet, usual_notes
from glasshub.web.pages.repo_view import RepoView, see, view_repo
from glasshub.web.pages.submission_sheet import ways
from glasshub.web.uploads import refuse_floods

bp = Blueprint("import_file", __name__)


@bp.get("/<ns>/<name>/import")
def show(ns: str, name: str) -> ResponseReturnValue:
    """Choose a file."""
    return _choose(_view(ns, name))


@bp.post("/<ns>/<name>/import")
def upload(ns: str, name: str) -> ResponseReturnValue:
    """Take a file in (``file``), if it is one that can be read, and go on to what it says."""
    view = _view(ns, name)
    refuse_floods()
    file = _sent()
    try:
        digest = staged_files.stage(hub(), actor(), file)
        read_log(hub().plugins, file)
    except (Invalid, TooLarge) as error:
        return _choose(view, error.message), status_of(error)
    return redirect(f"{view.path}/import/{digest}", code=303)


@bp.get("/<ns>/<name>/import/<digest>")
def proposal(ns: str, name: str, digest: str) -> ResponseReturnValue:
    """What an uploaded file says, and what it leaves open."""
    view = _view(ns, name)
    _, found = _read(digest)
    return _form(view, read_sheet(view, found))


@bp.post("/<ns>/<name>/import/<digest>")
def submit(ns: str, name: str, digest: str) -> ResponseReturnValue:
    """Open the pull request, or with ``do=check`` only look at what would become of it."""
    view = _view(ns, name)
    file, found = _read(digest)
    sheet = read_sheet(view, found, request.form)
    if request.form.get("do") == "check":
        return _form(view, sheet)
    if not sheet.is_ready:
        return _form(view, sheet, error="Answer what is marked, and choose at least one result."), 400
    said = [entry_fields(view, found, row, keep=sheet.keep) for row in sheet.wanted]
    comment = request.form.get("comment", "")
    wanted = Import(found, file.data, said, sheet.title, comment, keep=sheet.keep, address=public_url())
    try:
        made = importing.open_pull(hub(), view.repo, actor(), wanted)
    except (Conflict, Invalid, Forbidden, Busy) as error:
        access.require(actor(), Action.DISCUSS, view.repo)
        return _form(view, sheet, error=error.message), status_of(error)
    staged_files.forget(hub(), actor(), digest)
    counted = f"{len(said)} result{'s are' if len(said) > 1 else ' is'} in pull request {made.pull}"
    kept = "the file is kept with it" if sheet.keep else "the file itself is not published, only its digest"
    flash(f"{counted}; {kept}.", "good")
    return redirect(f"{view.path}/discussions/{made.pull}", code=303)


def _sent() -> LogFile:
    sent = request.files.get("file")
    if sent is None:
        return LogFile("", b"")
    with sent.stream as stream:
        return LogFile(_plain_name(sent.filename or ""), stream.read())


def _view(ns: str, name: str) -> RepoView:
    view = view_repo("model", ns, name)
    access.require(actor(), Action.DISCUSS, view.repo)
    return view


def _read(digest: str) -> tuple[LogFile, Proposal]:
    file = staged_files.staged(hub(), actor(), digest)
    return file, read_log(hub().plugins, file)


def _plain_name(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2]


def _choose(view: RepoView, error: str = "") -> str:
    return render_template("model/import_file.html", view=view, error=error, can_open=_can_open(view))


def _form(view: RepoView, sheet: ImportSheet, *, error: str = "") -> str:
    return render_template(
        "model/import.html",
        view=view,
        sheet=sheet,
        proposal=sheet.proposal,
        usual_notes=usual_notes,
        most_shown=MOST_SHOWN,
        benchmarks=importing.benchmarks(hub(), see()) if any(not row.draft.dataset for row in sheet.rows) else [],
        can_open=_can_open(view),
        error=error,
    )


def _can_open(view: RepoView) -> bool:
    return any(way.to == NEW_PULL for way in ways(view))
