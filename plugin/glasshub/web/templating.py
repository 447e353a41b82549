"""What every template knows: who is asking, the addresses of pages, and how dates, counts and sizes are written."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from flask import Flask, request
from markupsafe import Markup

from glasshub.exports import formats
from glasshub.web import links
from glasshub.web.context import actor, hub, public_url
from glasshub.weights.sizes import short_count

_STATIC = Path(__file__).parent / "static"
_UNITS = ("kB", "MB", "GB", "TB")


def init_templates(app: Flask) -> None:
    """Register filters, globals and the context that ``layout/base.html`` describes."""
    app.jinja_env.filters.update(
        day=day,
        moment=moment,
        number=number,
        size=size,
        decimals=decimals,
        printable=printable,
        short_count=short_count,
    )
    app.jinja_env.globals.update(
        asset=asset,
        tree_url=links.tree_url,
        blob_url=links.blob_url,
        resolve_url=links.resolve_url,
        edit_url=links.edit_url,
        new_file_url=links.new_file_url,
        commits_url=links.commits_url,
        commit_url=links.commit_url,
        dataset_url=links.dataset_url,
        leaderboard_url=links.leaderboard_url,
        standing_url=links.standing_url,
        with_query=links.with_query,
        export_formats=formats.offered,
        fresh=partial(secrets.token_hex, 8),
    )
    app.context_processor(_context)


def _context() -> dict[str, Any]:
    return {
        "actor": actor(),
        "hub_name": hub().settings.name,
        "public_url": public_url(),
        "sign_in_url": links.with_query("/login", next=_here()),
    }


def _here() -> str:
    """The page to come back to after signing in (``""``: the first page)."""
    if request.method != "GET" or request.path in ("/", "/login"):
        return ""
    return request.full_path.rstrip("?")


@lru_cache
def asset(name: str) -> str:
    """The address of a static file, with a part that changes when the file does (browsers keep it for a while)."""
    digest = hashlib.sha256((_STATIC / name).read_bytes()).hexdigest()
    return f"/static/{name}?v={digest[:10]}"


def parse_moment(text: str) -> datetime | None:
    """An ISO-8601 date or time as written by people or git, in UTC; ``None`` when it is not one."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def day(text: str) -> Markup | str:
    """A date as ``<time>``: ``2 Jan 2026``, with the exact moment on hover; text that is no date stays as it is."""
    when = parse_moment(text)
    if when is None:
        return text
    return Markup('<time datetime="{}" title="{}">{} {}</time>').format(text, text, when.day, when.strftime("%b %Y"))


def moment(text: str) -> Markup | str:
    """A date and time as ``<time>``: ``2 Jan 2026, 15:04 UTC``."""
    when = parse_moment(text)
    if when is None:
        return text
    return Markup('<time datetime="{}">{} {}</time>').format(text, when.day, when.strftime("%b %Y, %H:%M UTC"))


def number(value: int) -> str:
    """A count with thousands set apart: ``12,345``."""
    return f"{value:,}"


def size(value: int) -> str:
    """Bytes for people, in decimal units: ``512 B``, ``1.5 kB``, ``27 GB``."""
    if value < 1000:
        return f"{value} B"
    amount = float(value)
    for unit in _UNITS:
        amount /= 1000
        if amount < 999.5 or unit == _UNITS[-1]:
            break
    return f"{amount:.1f} {unit}" if amount < 10 else f"{amount:.0f} {unit}"


def printable(name: str) -> str:
    """A file's name for people: bytes that are not UTF-8 and control characters become a replacement mark."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def decimals(value: float, places: int) -> str:
    """A score with a fixed number of decimals; very large or small ones keep their own notation."""
    if value != 0 and not 1e-6 <= abs(value) < 1e12:
        return f"{value:.4g}"
    return f"{value:,.{places}f}"
