"""Which names accounts and repos may have. Pure."""

from __future__ import annotations

import re

from glasshub.errors import Invalid

# The first segments of the paths of the hub's own pages, now and foreseeably, and names that would mislead.
RESERVED = frozenset({
    "admin", "api", "assets", "badges", "benchmarks", "blog", "buckets", "cas", "collections", "dashboard", "datasets",
    "discussions", "docs", "embed", "explore", "favicon.ico", "feeds", "health", "healthz", "help", "hub", "jobs",
    "join", "kernels", "lfs", "login", "logout", "me", "metrics", "models", "new", "notifications", "oauth", "operator",
    "organizations", "papers", "posts", "pricing", "privacy", "pulls", "register", "robots.txt", "root", "runs",
    "runners", "search", "settings", "signup", "sitemap.xml", "spaces", "static", "status", "support", "tasks", "terms",
    "uploads", "user", "users", "v1", "v2", "webhooks", "well-known",
})  # fmt: skip
RECORD = "verification"  # its dataset with the keys of runners and the list of runs
HUB = "hub"  # owns what the hub itself keeps; reserved, so nobody can be called so
MAX_LABEL = 100
_ACCOUNT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,37}[A-Za-z0-9])")
_CHARACTERS = re.compile(r"[A-Za-z0-9._/-]+")
_REPO = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?")


def check_account_name(name: str) -> str:
    """The name of a user or organisation, if it is allowed.

    Raises:
        Invalid: with the rule it breaks.
    """
    if not _ACCOUNT.fullmatch(name) or _awkward(name):
        raise Invalid(
            f"{name!r} cannot be an account name: use 2 to 39 of A-Z a-z 0-9 . _ -, beginning and ending with a "
            "letter or digit, without '--' or '..', not ending in .git."
        )
    if name.lower() in RESERVED:
        raise Invalid(f"The name {name!r} is reserved for the hub's own pages. Choose another.")
    return name


def check_repo_name(name: str) -> str:
    """The name of a repo within its namespace, if it is allowed (the same rule as in the stock clients).

    Raises:
        Invalid: with the rule it breaks.
    """
    if not _REPO.fullmatch(name) or _awkward(name):
        raise Invalid(
            f"{name!r} cannot be a repo name: use 1 to 96 of A-Z a-z 0-9 . _ -, beginning and ending with a "
            "letter, digit or _, without '--' or '..', not ending in .git."
        )
    return name


def folded(name: str) -> str:
    """The form in which names (and ``namespace/name``) are compared and stored for look-up: lower case.

    What holds characters that no name may have becomes ``""``, which nothing is called: some foreign letters
    turn into ASCII ones when lower-cased, and some characters no database takes.
    """
    return name.lower() if _CHARACTERS.fullmatch(name) else ""


def label(text: str) -> str:
    """Free text for people (a full name, a token's name): one line of at most 100 visible characters."""
    shown = "".join(" " if character.isspace() else character for character in text)
    return " ".join("".join(filter(str.isprintable, shown)).split())[:MAX_LABEL].rstrip()


def _awkward(name: str) -> bool:
    return "--" in name or ".." in name or name.lower().endswith(".git")
