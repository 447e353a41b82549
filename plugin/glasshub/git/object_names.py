"""Names that a tree entry may not have, because checking it out would write outside the work tree or into ``.git``.

The rules are those of git's own fsck (``hasDot``, ``hasDotdot``, ``hasDotgit``, ``fullPathname``, ``emptyName``), which
also know the spellings that HFS+ and NTFS take for ``.git``: see git's ``utf8.c`` and ``path.c``.
"""

from __future__ import annotations

import re

# Code points that HFS+ leaves out when it compares names, so that ".g\u200cit" is ".git" there.
_IGNORED_BY_HFS = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
# NTFS drops dots and spaces at the end, opens streams after a colon, and gives ".git" the short name "git~1".
_NTFS_DOT_GIT = re.compile(rb"(?:\.git|git~1)[ .]*(?::.*)?", re.IGNORECASE | re.DOTALL)
_SEPARATORS = re.compile(rb"[\\/]")


def check_path_part(name: bytes) -> str:
    """Why a tree entry may not have this name (``""`` when it may)."""
    if name in (b"", b".", b".."):
        return f"an entry is named {name.decode()!r}"
    shown = repr(name.decode("utf-8", "replace"))
    if b"/" in name or b"\0" in name:
        return f"the entry name {shown} contains a slash or a NUL"
    parts = [name, *_SEPARATORS.split(name)]  # a backslash separates folders on some machines
    if b".." in parts:
        return f"the entry name {shown} leads out of its folder"
    if any(_NTFS_DOT_GIT.fullmatch(part) for part in parts) or _folded(name) == ".git":
        return f"the entry name {shown} is, or is taken for, .git"
    return ""


def check_link_name(name: bytes) -> str:
    """Why a symbolic link may not have this name (``""`` when it may): git follows ``.gitmodules`` blindly."""
    return ".gitmodules is a symbolic link" if _folded(name) == ".gitmodules" else ""


def _folded(name: bytes) -> str:
    return _IGNORED_BY_HFS.sub("", name.decode("utf-8", "replace")).lower()
