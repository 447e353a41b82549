"""Files brought by the Xet protocol: which chunks may make a file of a repo, and what is noted of it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import IO

from glasshub import gates, large_files
from glasshub.blobs.pointer import Pointer
from glasshub.blobs.xet import content, dedup
from glasshub.blobs.xet.content import Part, Recipe
from glasshub.blobs.xet.hashes import file_hash, from_text, to_text, verification_hash
from glasshub.blobs.xet.shard import ShardFile, Term, parse_shard
from glasshub.blobs.xet.xorb import Chunk
from glasshub.errors import Invalid, NotFound
from glasshub.hub import Hub
from glasshub.identity import Actor, Repo
from glasshub.large_files import LargeFile
from glasshub.registry import xorbs as rows
from glasshub.xorb_rights import Allowed, allowed, joined, may_read_files_of

_BATCH = 1024 * 1024
_MOST_BESIDE = 256  # xorbs in one answer


def add_xorb(hub: Hub, repo: Repo, actor: Actor, name: str, stream: IO[bytes]) -> bool:
    """Store a xorb that was brought for a repo; whether it is new there. Raises ``Invalid``, ``TooLarge``.

    Whether another repo has it already is not told; who may not read the repo's files learns only what they brought.
    """
    content.store_xorb(hub.blobs, name, stream)
    known = [chunk.hash for chunk in content.chunks_of(hub.blobs, name)]
    with hub.registry.write() as db:
        rows.add_chunks(db, [to_text(chunk) for chunk in known if dedup.is_eligible(chunk)], name)
        is_new_here = rows.add(db, repo.key, name)
        is_new_of_them = actor.name is not None and rows.add_sender(db, repo.key, name, actor.name)
        return is_new_here if gates.may_read_files(hub, actor, repo) else is_new_of_them


def register(hub: Hub, repo: Repo, actor: Actor, shard: bytes) -> int:
    """Take the files of a shard in for a repo, once all of them are found right; returns how many.

    A file may use xorbs that were uploaded for this repo, and chunks that the uploader may read; what it claims of them
    is checked, and its content is read once to see that it has the SHA-256 that it is said to have.

    Raises:
        Invalid: something is wrong with it; the message says what. Nothing is noted then.
    """
    checked = _Checked(hub, repo, actor)
    recipes = [checked.recipe(file) for file in parse_shard(shard).files]
    for recipe in recipes:
        content.store_recipe(hub.blobs, recipe)
        _note(hub, repo, recipe)
        pointer = Pointer(recipe.sha256, recipe.size)
        if not large_files.find(hub, repo, [pointer]):
            large_files.add(hub, repo, actor.name or "", pointer, xet_hash=recipe.hash)
    return len(recipes)


def copy(hub: Hub, source: Repo, target: Repo, by: str, pointers: Collection[Pointer]) -> list[LargeFile]:
    """Give another repo those of the files that a repo has, however they came; returns them.

    The caller has checked that ``by`` may read them.
    """
    found = list(large_files.find(hub, source, pointers).values())
    for file in found:
        if file.xet_hash:
            _note(hub, target, content.load_recipe(hub.blobs, file.xet_hash))
        large_files.add(hub, target, by, Pointer(file.sha256, file.size), xet_hash=file.xet_hash)
    return found


def give_files(hub: Hub, actor: Actor, source: Repo, target: Repo, hashes: Sequence[str]) -> list[str]:
    """Give large files of one repo to another, for a commit there; returns the hashes that the source does not have.

    Args:
        hub: the hub.
        actor: reads the files of the source (the caller has checked that) and may propose to the target.
        source: has the files.
        target: gets them.
        hashes: their SHA-256, in hex.

    Raises:
        TooLarge, Forbidden, Unauthenticated, RepoNotFound: as :func:`glasshub.large_files.require_may_add`.
    """
    sizes = {sha256: large_files.size(hub, source, sha256) for sha256 in hashes}
    pointers = [Pointer(sha256, size) for sha256, size in sizes.items() if size is not None]
    for pointer in [Pointer("0" * 64, 0), *pointers]:
        large_files.require_may_add(hub, actor, target, pointer.size)
    given = {file.sha256 for file in copy(hub, source, target, actor.name or "", pointers)}
    return [sha256 for sha256 in sizes if sha256 not in given]


def recipe_of(hub: Hub, repo: Repo, name: str) -> Recipe:
    """The recipe of a file that the repo has. Raises ``NotFound``."""
    recipe = content.load_recipe(hub.blobs, name)
    file = large_files.find(hub, repo, [Pointer(recipe.sha256, recipe.size)]).get(recipe.sha256)
    if file is None or file.xet_hash != name:
        raise NotFound(f"The file {name} is not on the hub.")
    return recipe


def known_chunk(hub: Hub, repo: Repo, actor: Actor, chunk: str, *, key: bytes, expires: int) -> bytes:
    """The shard of a xorb that holds a chunk and of those beside it, so that a client need not send what it lists.

    Args:
        chunk: its hash as text, one that clients may ask for.
        key: what hashes are keyed with; ``expires``: until when the answer holds.

    Raises:
        NotFound: no xorb that the actor may use holds it, whether or not the hub has it.
    """
    wanted = from_text(chunk)
    if not gates.may_read_files(hub, actor, repo):  # who may bring content need not be one who may know what there is
        raise NotFound("No chunk like this is known.")
    with hub.registry.read() as db:
        holding = rows.holding(db, chunk)
    for xorb in holding:
        known = _known(hub, repo, actor, xorb)
        if known and any(may and c.hash == wanted for may, c in zip(known.shown, known.chunks, strict=True)):
            beside = (_known(hub, repo, actor, other) for other in _beside(hub, actor, xorb))
            return dedup.answer([known, *(other for other in beside if other)], key=key, expires=expires)
    raise NotFound("No chunk like this is known.")


def _known(hub: Hub, repo: Repo, actor: Actor, xorb: str) -> dedup.Known | None:
    """What the actor may be told of a xorb. Touched: clients may refer to it as long as the answer holds."""
    rights = allowed(hub, repo, actor, xorb)
    if not rights.runs or not hub.blobs.touch(content.XORBS, xorb):
        return None
    chunks = content.chunks_of(hub.blobs, xorb)
    return dedup.Known(from_text(xorb), chunks, [rights.covers(place, place + 1) for place in range(len(chunks))])


def _beside(hub: Hub, actor: Actor, xorb: str) -> list[str]:
    """Other xorbs of a file that uses a xorb, of the first that the actor may read."""
    with hub.registry.read() as db:
        files = rows.files(db, xorb)
    for key, file in files:
        if may_read_files_of(hub, actor, key):
            with suppress(NotFound):
                parts = content.load_recipe(hub.blobs, file).parts
                return [name for name in dict.fromkeys(part.xorb for part in parts) if name != xorb][:_MOST_BESIDE]
    return []


def _note(hub: Hub, repo: Repo, recipe: Recipe) -> None:
    """Note what a file of a repo uses, and its first chunk, which clients ask for."""
    runs: dict[str, list[tuple[int, int]]] = {}
    for part in recipe.parts:
        runs.setdefault(part.xorb, []).append((part.start, part.end))
    first = recipe.parts[0] if recipe.parts else None
    with hub.registry.write() as db:
        own = {xorb for xorb in runs if repo.key in {use.repo for use in rows.uses(db, xorb) if use.last is None}}
        rows.add_runs(db, repo.key, [(x, *run) for x, found in runs.items() if x not in own for run in joined(found)])
        rows.add_file(db, repo.key, recipe.hash, runs)
        if first is not None:
            chunk = content.chunks_of(hub.blobs, first.xorb)[first.start]
            rows.add_chunks(db, [to_text(chunk.hash)], first.xorb)


class _Checked:
    """Files of one shard, looked at before anything is noted."""

    def __init__(self, hub: Hub, repo: Repo, actor: Actor) -> None:
        self._hub, self._repo, self._actor = hub, repo, actor
        self._rights: dict[str, Allowed] = {}

    def recipe(self, file: ShardFile) -> Recipe:
        """The recipe of a file whose claims hold. Raises ``Invalid``."""
        name = to_text(file.hash)
        parts: list[Part] = []
        leaves: list[tuple[bytes, int]] = []
        for term in file.terms:
            xorb = to_text(term.xorb)
            chunks = self._chunks(name, xorb, term)
            parts.append(Part(xorb, term.length, term.start, term.end))
            leaves += [(chunk.hash, chunk.length) for chunk in chunks]
        if to_text(file_hash(leaves)) != name:
            raise Invalid(f"The chunks of {name} make another file.")
        recipe = Recipe(name, sum(part.length for part in parts), "", tuple(parts))
        sha256 = _sha256(content.stream(self._hub.blobs, recipe))
        if file.sha256 and to_text(file.sha256) != sha256:
            raise Invalid(f"The file {name} has SHA-256 {sha256}, not {to_text(file.sha256)}.")
        return Recipe(name, recipe.size, sha256, recipe.parts)

    def _chunks(self, name: str, xorb: str, term: Term) -> list[Chunk]:
        if xorb not in self._rights:
            # Touched first: what is used now is not pruned while this goes on.
            here = self._hub.blobs.touch(content.XORBS, xorb)
            self._rights[xorb] = allowed(self._hub, self._repo, self._actor, xorb) if here else Allowed(())
        if not self._rights[xorb].covers(term.start, term.end):
            raise Invalid(content.MISSING.format(xorb))
        try:
            chunks = content.chunks_of(self._hub.blobs, xorb)[term.start : term.end]
        except NotFound as error:
            raise Invalid(error.message) from error
        length = sum(chunk.length for chunk in chunks)
        if not chunks or len(chunks) != term.end - term.start or length != term.length:
            raise Invalid(f"The file {name} asks for chunks {term.start} to {term.end} of {xorb}, which are not so.")
        if term.proof != verification_hash(chunk.hash for chunk in chunks):
            raise Invalid(f"The file {name} does not show that its uploader knows the chunks of {xorb}.")
        return chunks


def _sha256(pieces: Iterable[bytes]) -> str:
    """The SHA-256 of pieces, hashed in another thread while the next ones are made."""
    digest = hashlib.sha256()
    with ThreadPoolExecutor(1, thread_name_prefix="sha256") as threads:
        hashing: Future[None] | None = None
        for batch in _batches(pieces):
            if hashing is not None:
                hashing.result()
            hashing = threads.submit(_update, digest, batch)
    return digest.hexdigest()


def _batches(pieces: Iterable[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for data in pieces:
        batch.append(data)
        size += len(data)
        if size >= _BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _update(digest: hashlib._Hash, batch: list[bytes]) -> None:
    for data in batch:
        digest.update(data)
