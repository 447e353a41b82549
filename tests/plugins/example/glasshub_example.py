"""An example of a plugin: tags must be versions, pushes are counted in a file, and cards say who made the repo."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from glasshub.errors import Forbidden
from glasshub.git.refs import RefUpdate
from glasshub.identity import Actor, Repo
from glasshub.plugins import Panel, hookimpl

VERSION = re.compile(r"refs/tags/v\d+(\.\d+)*")


@hookimpl
def pre_receive(repo: Repo, updates: Sequence[RefUpdate], actor: Actor) -> None:
    """Refuse a push with a tag such as ``latest``."""
    for update in updates:
        if update.ref.startswith("refs/tags/") and not VERSION.fullmatch(update.ref):
            raise Forbidden("Tags on this hub are versions: name yours v1, v1.2 and so on.")


@hookimpl
def post_receive(repo: Repo, updates: Sequence[RefUpdate], actor: Actor) -> None:
    """Write a line for each ref that moved."""
    with Path(os.environ["EXAMPLE_PUSHES"]).open("a", encoding="utf-8") as file:
        for update in updates:
            file.write(f"{actor.name} moved {update.ref} of {repo.repo_id}\n")


@hookimpl
def card_panels(repo: Repo) -> list[Panel]:
    """Say beside a card who made the repo."""
    return [Panel("Made by", f"[{repo.creator}](/{repo.creator}), who answers **questions** about it.")]
