"""The one error family of the hub.

Rules and storage raise these; each carries a ``code`` (what a program may test) and a sentence that
says what happened and what to do. Only ``glasshub.web.errors`` turns them into status codes and pages.
"""

from __future__ import annotations


class GlasshubError(Exception):
    """Base of every error the hub raises on purpose.

    Args:
        message: one or two sentences for a person: what is wrong and what to do about it.
    """

    code = "Internal"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Invalid(GlasshubError):
    """The input is malformed or breaks a rule; sending it again will not help."""

    code = "Invalid"


class Unauthenticated(GlasshubError):
    """Nobody is signed in, or the credentials are wrong, expired or revoked."""

    code = "Unauthenticated"


class Forbidden(GlasshubError):
    """The actor is known and may see the thing, but may not do this to it."""

    code = "Forbidden"


class GatedRepo(Forbidden):
    """The repo is there, but its files are only for people whom its writers let in; this actor is none of them.

    Args:
        message: what is restricted and what to do.
        page: the path of the page on which to ask for access.
    """

    code = "GatedRepo"

    def __init__(self, message: str, page: str) -> None:
        super().__init__(message)
        self.page = page


class GatedRepoSignIn(Unauthenticated):
    """As :class:`GatedRepo`, for somebody who is not signed in: it may be that they were let in."""

    code = "GatedRepo"


class NotFound(GlasshubError):
    """The thing does not exist, or does not exist for this actor."""

    code = "NotFound"


class RepoNotFound(NotFound):
    """No such repo, or a private one the actor may not read: both look the same."""

    code = "RepoNotFound"


class RevisionNotFound(NotFound):
    """The repo has no such branch, tag or commit."""

    code = "RevisionNotFound"


class EntryNotFound(NotFound):
    """The revision has no file or folder at this path."""

    code = "EntryNotFound"


class AccountNotFound(NotFound):
    """No user or organisation of that name."""

    code = "AccountNotFound"


class Conflict(GlasshubError):
    """The name is taken, or somebody else changed the thing first."""

    code = "Conflict"


class PreconditionFailed(GlasshubError):
    """The caller named a state (a parent commit) that is no longer current."""

    code = "PreconditionFailed"


class TooLarge(GlasshubError):
    """The input exceeds a configured limit."""

    code = "TooLarge"


class RangeNotSatisfiable(GlasshubError):
    """A byte range starts past the end of the file."""

    code = "RangeNotSatisfiable"


class TooManyRequests(GlasshubError):
    """The caller should wait before trying again."""

    code = "TooManyRequests"


class Busy(GlasshubError):
    """A lock could not be had in time; trying again later will help."""

    code = "Busy"
