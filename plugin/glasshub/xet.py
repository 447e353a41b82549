"""Files brought by the Xet protocol: which xorbs may make a file of a repo, and what is noted of it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import IO

from glasshub import access, accounts, large_files, repos
from glasshub.blobs.pointer import Pointer
from glasshub.blobs.xet import content
from glasshub.blobs.xet.content import Part, Recipe
from glasshub.blobs.xet.hashes import file_hash, to_text, verification_hash
from glasshub.blobs.xet.shard import ShardFile, parse_shard
from glasshub.blobs.xet.xorb import Chunk
from glasshub.errors import AccountNotFound, Invalid, NotFound, RepoNotFound
from glasshub.hub import Hub
from glasshub.identity import ANONYMOUS, Actor, Repo
from glasshub.registry import xorbs as rows


def add_xorb(hub: Hub, repo: Repo, name: str, stream: IO[bytes]) -> bool:
    """Store a xorb that was brought for a repo; whether it is new. Raises ``Invalid``, ``TooLarge``."""
    new = content.store_xorb(hub.blobs, name, stream)
    with hub.registry.write() as db:
        rows.add(db, repo.key, [name])
    return new


def register(hub: Hub, repo: Repo, by: str, shard: bytes) -> int:
    """Take the files of a shard in for a repo, once all of them are found right; returns how many.

    A file may use xorbs that this repo uses, or one that the uploader may read; what it claims of them is checked, and
    its content is read once to see that it has the SHA-256 that it is said to have.

    Raises:
        Invalid: something is wrong with it; the message says what. Nothing is noted then.
    """
    recipes = [_recipe(hub, repo, by, file) for file in parse_shard(shard).files]
    for recipe in recipes:
        content.store_recipe(hub.blobs, recipe)
        with hub.registry.write() as db:
            rows.add(db, repo.key, {part.xorb for part in recipe.parts})
        pointer = Pointer(recipe.sha256, recipe.size)
        if not large_files.find(hub, repo, [pointer]):
            large_files.add(hub, repo, by, pointer, xet_hash=recipe.hash)
    return len(recipes)


def recipe_of(hub: Hub, repo: Repo, name: str) -> Recipe:
    """The recipe of a file that the repo has. Raises ``NotFound``."""
    recipe = content.load_recipe(hub.blobs, name)
    file = large_files.find(hub, repo, [Pointer(recipe.sha256, recipe.size)]).get(recipe.sha256)
    if file is None or file.xet_hash != name:
        raise NotFound(f"The file {name} is not on the hub.")
    return recipe


def _recipe(hub: Hub, repo: Repo, by: str, file: ShardFile) -> Recipe:
    name = to_text(file.hash)
    _require_usable(hub, repo, by, {to_text(term.xorb) for term in file.terms})
    parts, leaves = [], []
    for term in file.terms:
        xorb = to_text(term.xorb)
        chunks = _chunks(hub, xorb)[term.start : term.end]
        length = sum(chunk.length for chunk in chunks)
        if not chunks or len(chunks) != term.end - term.start or length != term.length:
            raise Invalid(f"The file {name} asks for chunks {term.start} to {term.end} of {xorb}, which are not so.")
        if term.proof != verification_hash(chunk.hash for chunk in chunks):
            raise Invalid(f"The file {name} does not show that its uploader knows the chunks of {xorb}.")
        parts.append(Part(xorb, length, term.start, term.end))
        leaves += [(chunk.hash, chunk.length) for chunk in chunks]
    if to_text(file_hash(leaves)) != name:
        raise Invalid(f"The chunks of {name} make another file.")
    recipe = Recipe(name, sum(part.length for part in parts), "", tuple(parts))
    sha256 = _sha256(hub, recipe)
    if file.sha256 and to_text(file.sha256) != sha256:
        raise Invalid(f"The file {name} has SHA-256 {sha256}, not {to_text(file.sha256)}.")
    return Recipe(name, recipe.size, sha256, recipe.parts)


def _sha256(hub: Hub, recipe: Recipe) -> str:
    digest = hashlib.sha256()
    for data in content.stream(hub.blobs, recipe):
        digest.update(data)
    return digest.hexdigest()


def _chunks(hub: Hub, xorb: str) -> list[Chunk]:
    try:
        return content.chunks_of(hub.blobs, xorb)
    except NotFound as error:
        raise Invalid(error.message) from error


def _require_usable(hub: Hub, repo: Repo, by: str, xorbs: Collection[str]) -> None:
    try:
        actor = accounts.actor_for(hub, by)
    except AccountNotFound:
        actor = ANONYMOUS
    for xorb in sorted(xorbs):
        with hub.registry.read() as db:
            users = rows.users(db, xorb)
        if repo.key not in users and not any(_may_read(hub, actor, key) for key in users):
            raise Invalid(f"The xorb {xorb} is not on the hub. Upload it again (remove the client's Xet cache first).")


def _may_read(hub: Hub, actor: Actor, key: str) -> bool:
    try:
        return access.may_read(actor, repos.by_key(hub, key))
    except RepoNotFound:
        return False
