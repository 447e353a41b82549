"""Runners and their keys, for everybody; deciding about them, for admins and owners; registering one's own."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from glasshub import runners
from glasshub.errors import Conflict, Invalid
from glasshub.names import folded
from glasshub.web.context import actor, hub
from glasshub.web.pages.settings import user

bp = Blueprint("runners", __name__)


@bp.get("/runners")
def listing() -> ResponseReturnValue:
    """All runners with their keys."""
    found = runners.listing(hub())
    order = {"pending": 0, "active": 1, "retired": 2}
    keys = runners.keys(hub())
    return render_template(
        "runners/list.html",
        runners=sorted(found, key=lambda runner: (order[runner.state], folded(runner.name))),
        keys={runner.name: sum(key.runner == runner.name and not key.revoked_at for key in keys) for runner in found},
    )


@bp.get("/runners/<name>")
def page(name: str) -> ResponseReturnValue:
    """One runner: its keys with the windows in which they count, and what may be decided about it."""
    return _page(name)


@bp.post("/runners/<name>/approve")
def approve(name: str) -> ResponseReturnValue:
    """Let it sign."""
    return _decide(name, lambda: runners.approve(hub(), actor(), name), "The runner may sign now.")


@bp.post("/runners/<name>/retire")
def retire(name: str) -> ResponseReturnValue:
    """Let it sign no more."""
    return _decide(name, lambda: runners.retire(hub(), actor(), name), "The runner is retired. What it signed stays.")


@bp.post("/runners/<name>/keys")
def add_key(name: str) -> ResponseReturnValue:
    """Give it a further key."""
    public = request.form.get("public_key", "").strip()
    return _decide(name, lambda: runners.add_key(hub(), actor(), name, public), "The key counts from now on.")


@bp.post("/runners/<name>/keys/<kid>/revoke")
def revoke(name: str, kid: str) -> ResponseReturnValue:
    """End a key's window: ``reason``, ``since``."""
    reason, since = request.form.get("reason", ""), request.form.get("since", "").strip()
    return _decide(
        name,
        lambda: runners.revoke_key(hub(), actor(), kid, reason=reason, since=since),
        "The key is revoked. What was signed with it since then has lost its badge.",
    )


@bp.get("/settings/runners")
def mine() -> ResponseReturnValue:
    """The runners that the user answers for, and the form for a new one."""
    return _mine()


@bp.post("/settings/runners")
def register() -> ResponseReturnValue:
    """Ask for a runner: ``name``, ``public_key``."""
    user()
    try:
        made = runners.register(
            hub(), actor(), request.form.get("name", "").strip(), request.form.get("public_key", "").strip()
        )
    except (Conflict, Invalid) as error:
        return _mine(error=error.message), 400
    flash("The runner may sign now." if made.state == "active" else "An admin of the hub will decide about it.", "good")
    return redirect(f"/runners/{made.name}", code=303)


def _decide(name: str, decision: Callable[[], object], done: str) -> ResponseReturnValue:
    user()
    try:
        decision()
    except (Conflict, Invalid) as error:
        return _page(name, error=error.message), 400
    flash(done, "good")
    return redirect(f"/runners/{name}", code=303)


def _page(name: str, *, error: str = "") -> str:
    runner = runners.find(hub(), name)
    may_decide = runners.may_decide(actor(), runner)
    return render_template(
        "runners/runner.html",
        runner=runner,
        keys=runners.keys(hub(), runner.name),
        waiting=runners.waiting_keys(hub(), runner.name) if may_decide else [],
        may_decide=may_decide,
        error=error,
    )


def _mine(*, error: str = "") -> str:
    name = folded(user())
    return render_template(
        "settings/runners.html",
        runners=[runner for runner in runners.listing(hub()) if folded(runner.owner) == name],
        form=request.form,
        error=error,
    )
