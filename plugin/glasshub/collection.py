"""Collections: lists of repos with notes that people keep. What they are, and the rules of their texts. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from glasshub.errors import Invalid
from glasshub.identity import Repo

THEMES = ("orange", "blue", "green", "purple", "pink", "indigo")
MOST_TITLE, MOST_DESCRIPTION, MOST_NOTE = 60, 150, 500
MOST_ITEMS = 500
MOST_OF_OWNER = 500
Sort = Literal["lastModified", "trending", "upvotes", "position"]
ItemType = Literal["model", "dataset", "collection"]
_ID = re.compile(r"(?:.*-)?([0-9a-f]{24})")


@dataclass(frozen=True, slots=True)
class Collection:
    """One collection without its items; ``owner`` is the account's name, ``position`` its place among the owner's."""

    id: str
    owner: str
    title: str
    description: str
    theme: str
    private: bool
    position: int
    updated_at: str
    upvotes: int = 0

    @property
    def slug(self) -> str:
        """``owner/title-id``, by which clients name it: the title may change, the id stays."""
        plain = unicodedata.normalize("NFKD", self.title).encode("ascii", "ignore").decode().lower()
        words = "-".join(re.findall(r"[a-z0-9]+", plain))[:60].strip("-")
        return f"{self.owner}/{words}-{self.id}" if words else f"{self.owner}/{self.id}"

    @property
    def path(self) -> str:
        """The path of its page."""
        return f"/collections/{self.slug}"


@dataclass(frozen=True, slots=True)
class Item:
    """What a collection holds: a repo or another collection."""

    id: str
    repo: Repo | None
    child: Collection | None
    note: str
    position: int

    @property
    def type(self) -> ItemType:
        """``model``, ``dataset`` or ``collection``."""
        return self.repo.type if self.repo is not None else "collection"


def id_in(slug: str) -> str:
    """The id at the end of the second part of a slug; ``""`` when there is none."""
    found = _ID.fullmatch(slug)
    return found[1] if found else ""


def check_title(text: str) -> str:
    """A title of one line. Raises ``Invalid``."""
    title = _line(text, MOST_TITLE, "title")
    if not title:
        raise Invalid("Give the collection a title.")
    return title


def check_description(text: str) -> str:
    """A description of one line, or none. Raises ``Invalid``."""
    return _line(text, MOST_DESCRIPTION, "description")


def check_note(text: str) -> str:
    """The note of an item, or none. Raises ``Invalid``."""
    return _line(text, MOST_NOTE, "note")


def check_theme(text: str) -> str:
    """The colour of a collection. Raises ``Invalid``."""
    if text not in THEMES:
        raise Invalid(f"The theme is one of {', '.join(THEMES)}.")
    return text


def _line(text: str, most: int, what: str) -> str:
    line = " ".join("".join(c for c in " ".join(text.split()) if c.isprintable()).split())
    if len(line) > most:
        raise Invalid(f"The {what} of a collection has at most {most} characters; this one has {len(line)}.")
    return line
