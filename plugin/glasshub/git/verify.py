"""Checking a whole repository: every pack and loose object is read again, every ref and name followed."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from dulwich.errors import ChecksumMismatch
from dulwich.object_format import DEFAULT_OBJECT_FORMAT
from dulwich.pack import load_pack_index
from dulwich.repo import Repo as GitRepo

from glasshub.errors import GlasshubError, Invalid
from glasshub.git.object_check import BLOB, COMMIT, KIND_NAMES, TAG, ObjectChecker, references
from glasshub.git.pack_index import Row
from glasshub.git.pack_read import LARGEST_STRUCTURE, Limits, PackReader

_NO_LIMIT = 1 << 62
_UNLIMITED = Limits(_NO_LIMIT, _NO_LIMIT, _NO_LIMIT, _NO_LIMIT)
_LOOSE_HEAD = re.compile(rb"(commit|tree|blob|tag) ([0-9]+)\0")
_PIECE = 1024**2
_MOST = 1000


def verify_repository(repo: GitRepo) -> list[str]:
    """What is wrong with a repository on disk, a sentence each (none: it is sound), at most about 1,000.

    Packs and loose objects are unfolded and hashed again, and compared with the index; refs must lead to what
    they may; whatever is reachable from a ref must be there.
    """
    # Refs first: what they lead to was stored before them, so a write that goes on meanwhile does no harm.
    refs = {ref.decode("utf-8", "replace"): oid for ref, oid in _refs(repo).items()}
    return _Verifier(repo).run(refs)[:_MOST]


def _refs(repo: GitRepo) -> dict[bytes, bytes]:
    found = {}
    for ref in repo.refs.allkeys():
        if ref != b"HEAD":
            found[bytes(ref)] = repo.refs.read_ref(ref) or b""
    return found


class _Verifier:
    def __init__(self, repo: GitRepo) -> None:
        self._repo = repo
        self._checker = ObjectChecker()
        self._faults: list[str] = []
        self._unsure: set[bytes] = set()  # listed in the index of a damaged pack

    def run(self, refs: dict[str, bytes]) -> list[str]:
        objects = Path(self._repo.controldir()) / "objects"
        for path in sorted(objects.glob("pack/*.idx")):
            self._check_pack(path)
        for path in sorted(objects.glob("[0-9a-f][0-9a-f]/*")):
            if re.fullmatch(r"[0-9a-f]{38}", path.name):
                self._check_loose(path)
        self._check_refs(refs)
        self._check_connected(refs)
        return self._faults

    def _visit(self, kind: int, oid: bytes, data: bytes | None) -> None:
        try:
            self._checker.check(kind, oid, data)
        except Invalid as error:
            self._faults.append(error.message)

    def _check_pack(self, index_path: Path) -> None:
        path = index_path.with_suffix(".pack")
        try:
            rows = _index_rows(index_path)
        except (AssertionError, ChecksumMismatch, ValueError, OSError) as error:
            self._faults.append(f"{index_path.name} is damaged: {error}; run git index-pack on {path.name}")
            rows = []
        try:
            with path.open("rb", buffering=0) as file, path.open("rb") as stream:
                reader = PackReader(
                    stream, file, path.parent, limits=_UNLIMITED, visit=self._visit, lend=self._lend, copied=True
                )
                contents = reader.read()
        except (GlasshubError, OSError) as error:
            self._faults.append(f"{path.name}: {error}")
            self._unsure.update(oid for oid, _, _ in rows)
            return
        if rows and sorted(contents.rows) != rows:
            self._faults.append(f"{index_path.name} does not fit its pack; run git index-pack on {path.name}")
        if contents.borrowed:
            self._faults.append(f"{path.name} needs objects outside itself; run git repack -ad")

    def _lend(self, oid: bytes) -> tuple[int, bytes] | None:
        try:
            return self._repo.object_store.get_raw(oid.hex().encode())  # type: ignore[arg-type]
        except KeyError:
            return None

    def _check_loose(self, path: Path) -> None:
        name = path.parent.name + path.name
        try:
            kind, digest, data = _read_loose(path)
        except (zlib.error, ValueError, OSError) as error:
            self._faults.append(f"object {name} is damaged: {error}")
            self._unsure.add(bytes.fromhex(name))
            return
        if digest.hex() != name:
            self._faults.append(f"object {name} is damaged: its content hashes to {digest.hex()}")
        self._visit(kind, bytes.fromhex(name), data)

    def _check_refs(self, refs: dict[str, bytes]) -> None:
        for ref, value in sorted(refs.items()):
            if not re.fullmatch(rb"[0-9a-f]{40}", value):
                self._faults.append(f"{ref} holds {value[:60]!r}, which is no object id")
                continue
            oid = bytes.fromhex(value.decode())
            kind = self._checker.kinds.get(oid)
            if kind is None and oid not in self._unsure:
                self._faults.append(f"{ref} points to {value.decode()}, which is missing")
            elif kind not in (None, COMMIT) and not (kind == TAG and ref.startswith("refs/tags/")):
                self._faults.append(f"{ref} points to a {KIND_NAMES[kind]}; it must point to a commit")

    def _check_connected(self, refs: dict[str, bytes]) -> None:
        def stored(oid: bytes) -> int | None:
            return -1 if oid in self._unsure else None

        missing = [item for item in self._checker.missing(stored) if item[1] not in self._unsure]
        if not missing:
            return
        # What nothing leads to may lack something (a repack removed part of it); that harms nobody.
        reachable = self._reachable({bytes.fromhex(v.decode()) for v in refs.values() if len(v) == 40})
        for kind, oid, owner in missing:
            if owner in reachable:
                whose = f"{KIND_NAMES[self._checker.kinds[owner]]} {owner.hex()}"
                self._faults.append(f"{whose} needs {KIND_NAMES[kind]} {oid.hex()}, which is missing")

    def _reachable(self, tips: set[bytes]) -> set[bytes]:
        seen: set[bytes] = set()
        todo = list(tips)
        while todo:
            oid = todo.pop()
            kind = self._checker.kinds.get(oid)
            if oid in seen or kind is None:
                continue
            seen.add(oid)
            if kind != BLOB and (found := self._lend(oid)):
                todo += [named for _, named in references(*found)]
        return seen


def _index_rows(path: Path) -> list[Row]:
    index = load_pack_index(path, DEFAULT_OBJECT_FORMAT)
    try:
        index.check()
        return [(bytes(oid), offset, crc or 0) for oid, offset, crc in index.iterentries()]
    finally:
        index.close()


def _read_loose(path: Path) -> tuple[int, bytes, bytes | None]:
    """Kind, SHA-1 and (unless it is a blob) bytes of a loose object."""
    head, size, data = b"", 0, []
    sha = hashlib.sha1(usedforsecurity=False)
    match = None
    for piece in _inflate(path):
        sha.update(piece)
        size += len(piece)
        if match is None:
            head += piece
            match = _LOOSE_HEAD.match(head)
            if match is None and len(head) >= 64:
                break
        if match is not None and match[1] != b"blob":
            data.append(piece)
            if size > LARGEST_STRUCTURE:
                raise ValueError("it is too large")
    if match is None or size != match.end() + int(match[2]):
        raise ValueError("its header does not fit")
    kind = next(kind for kind, name in KIND_NAMES.items() if name == match[1].decode())
    return kind, sha.digest(), b"".join(data)[match.end() :] if kind != BLOB else None


def _inflate(path: Path) -> Iterator[bytes]:
    inflater = zlib.decompressobj()
    with path.open("rb") as file:
        rest = file.read(_PIECE)
        while rest and not inflater.eof:
            yield inflater.decompress(rest, _PIECE)
            rest = inflater.unconsumed_tail or file.read(_PIECE)
    if not inflater.eof or inflater.unused_data:
        raise ValueError("it is cut off or something follows it")
