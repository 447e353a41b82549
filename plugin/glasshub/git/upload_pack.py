"""``git-upload-pack`` over stateless HTTP, protocol v0/v1 and v2: clone, fetch, shallow and partial clones.

Protocol: https://git-scm.com/docs/gitprotocol-pack, https://git-scm.com/docs/gitprotocol-v2.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import IO

from dulwich.objects import Commit, ObjectID, Tag, Tree
from dulwich.repo import Repo as GitRepo

from glasshub.errors import GlasshubError, Invalid
from glasshub.git.advertise import ON_REQUEST, Hidden, advertised_refs, head_target
from glasshub.git.ancestry import lookup
from glasshub.git.blob import blob_size
from glasshub.git.commits import CommitReader
from glasshub.git.fetch_request import MAX_BYTES, MAX_LINES, FetchRequest, read_request
from glasshub.git.object_walk import Parents, TreeWalk, closure, missing_commits
from glasshub.git.pack_write import pack_chunks
from glasshub.git.pktline import DELIMITER, FLUSH, Bounded, Delimiter, Readable, pkt, read_lines, read_pkt
from glasshub.git.shallow import INFINITE, Boundary, by_depth, by_rule

_BAND = 65_515


def serve_upload_pack(
    repo: GitRepo, stream: IO[bytes], *, version: int, hidden: Hidden, cloned: Callable[[], None] = lambda: None
) -> Iterator[bytes]:
    """Answer one ``POST git-upload-pack``.

    Args:
        repo: the repository.
        stream: the request body, already de-chunked and un-gzipped.
        version: the protocol version of the request (0, 1 or 2).
        hidden: tells which refs are the hub's own: they are shown only to who names them.
        cloned: called when objects are asked for by a client that has none.

    Yields:
        The response body; an error becomes an ``ERR`` line that git shows.
    """
    try:
        lines = Bounded(stream, MAX_BYTES)
        yield from _serve_v2(repo, lines, hidden, cloned) if version == 2 else _serve_v0(repo, lines, cloned)
    except GlasshubError as error:
        yield pkt(f"ERR {error.message}\n")


def _serve_v2(repo: GitRepo, stream: Readable, hidden: Hidden, cloned: Callable[[], None]) -> Iterator[bytes]:
    command = ""
    arguments: list[bytes] = []
    in_arguments = False
    for line in read_lines(stream, limit=MAX_LINES):
        if isinstance(line, Delimiter):
            in_arguments = True
        elif in_arguments:
            arguments.append(line)
        elif line.startswith(b"command="):
            command = line[8:].decode("ascii", "replace")
    if command == "ls-refs":
        yield from _ls_refs(repo, arguments, hidden)
    elif command == "fetch":
        request = read_request(arguments)
        if request.done and not request.haves:
            cloned()
        yield from _Fetch(repo, request).answer_v2()
    elif command:
        raise Invalid(f"The command {command!r} is not supported.")


def _ls_refs(repo: GitRepo, arguments: list[bytes], hidden: Hidden) -> Iterator[bytes]:
    peel, symrefs, unborn = (word in arguments for word in (b"peel", b"symrefs", b"unborn"))
    prefixes = [line[11:].decode("utf-8", "surrogateescape") for line in arguments if line.startswith(b"ref-prefix ")]

    def shown(ref: str) -> bool:
        if hidden(ref) or ref.startswith(ON_REQUEST):
            named = [prefix for prefix in prefixes if hidden(prefix) or prefix.startswith(ON_REQUEST)]
            return any(ref.startswith(prefix) for prefix in named)
        return not prefixes or any(ref.startswith(prefix) for prefix in prefixes)

    if not prefixes or any("HEAD".startswith(prefix) for prefix in prefixes):
        branch, oid = head_target(repo)
        target = b" symref-target:" + branch if symrefs else b""
        if oid is not None:
            yield pkt(oid + b" HEAD" + target + b"\n")
        elif unborn:
            yield pkt(b"unborn HEAD" + target + b"\n")
    for ref in advertised_refs(repo, shown, peel=peel):
        peeled = b" peeled:" + ref.peeled if peel and ref.peeled else b""
        yield pkt(ref.oid + b" " + ref.name + peeled + b"\n")
    yield FLUSH


def _serve_v0(repo: GitRepo, stream: Readable, cloned: Callable[[], None]) -> Iterator[bytes]:
    request = read_request(read_lines(stream, limit=MAX_LINES))
    if not request.wants:
        return
    fetch = _Fetch(repo, request)
    fetch.check_wants()
    if request.deepens:
        yield from fetch.shallow_lines()
        yield FLUSH
    head = stream.read(1)
    if not head:
        return  # a stateless client asks for the boundary first, and negotiates in its next request
    rest = _Rejoined(head, stream)
    common: list[ObjectID] = []
    detailed = "multi_ack_detailed" in request.capabilities
    for _ in range(MAX_LINES):
        line = read_pkt(rest)
        word = b"" if line is None else line.rstrip(b"\n")
        if word == b"done":
            yield pkt(b"ACK " + common[-1] + b"\n") if common else pkt(b"NAK\n")
            break
        if word.startswith(b"have "):
            oid = ObjectID(word[5:45])
            if fetch.has(oid):
                common.append(oid)
                if detailed:
                    yield pkt(b"ACK " + oid + b" common\n")
            continue
        # The end of a batch of haves: in stateless HTTP also the end of the request, unless we can go on.
        if detailed and common and "no-done" in request.capabilities:
            yield pkt(b"ACK " + common[-1] + b" ready\n") + pkt(b"NAK\n") + pkt(b"ACK " + common[-1] + b"\n")
            break
        if detailed and common:
            yield pkt(b"ACK " + common[-1] + b" ready\n")
        yield pkt(b"NAK\n")
        return
    if not common:
        cloned()
    request.haves = common
    side_band = "side-band-64k" in request.capabilities
    yield from _framed(fetch.pack()) if side_band else fetch.pack()


class _Rejoined:
    """A stream with a byte that was looked at put back in front."""

    def __init__(self, head: bytes, rest: Readable) -> None:
        self._head, self._rest = head, rest

    def read(self, count: int, /) -> bytes:
        """Up to ``count`` bytes."""
        head, self._head = self._head, b""
        return head or self._rest.read(count)


class _Fetch:
    """One fetch: negotiation, boundary, and the objects to send."""

    def __init__(self, repo: GitRepo, request: FetchRequest) -> None:
        self._repo, self._request = repo, request
        self._store = repo.object_store
        self._commits = CommitReader(self._store)
        self._boundary: Boundary | None = None

    def has(self, oid: ObjectID) -> bool:
        """Whether the repository has what the client says it has."""
        return oid in self._store

    def check_wants(self) -> None:
        """Commits must be reachable from a ref, so that what was rewritten away cannot be had by its id.

        Raises:
            Invalid: one is not there.
        """
        missing = [oid for oid in self._request.wants if oid not in self._store]
        tips = set(self._repo.refs.as_dict().values())
        asked = [oid for oid in self._request.wants if oid not in tips and self._commits.is_commit(oid)]
        if asked and not missing:
            reachable = self._reachable()
            missing = [oid for oid in asked if oid not in reachable]
        if missing:
            raise Invalid(f"upload-pack: not our ref {missing[0].decode()}")

    def answer_v2(self) -> Iterator[bytes]:
        """Acknowledgments, then (when the client is done or we know enough) boundary and pack."""
        request = self._request
        if not request.wants:
            yield FLUSH
            return
        self.check_wants()
        common = [oid for oid in request.haves if self.has(oid)]
        if not request.done:
            yield pkt("acknowledgments\n")
            yield from (pkt(b"ACK " + oid + b"\n") for oid in common)
            if not common:
                yield pkt("NAK\n")
            if not common or request.wait_for_done:
                yield FLUSH
                return
            yield pkt("ready\n")
            yield DELIMITER
        request.haves = common
        if request.deepens:
            yield pkt("shallow-info\n")
            yield from self.shallow_lines()
            yield DELIMITER
        yield pkt("packfile\n")
        yield from _framed(self.pack())

    def shallow_lines(self) -> Iterator[bytes]:
        """The change of the boundary."""
        boundary = self._new_boundary()
        yield from (pkt(b"shallow " + oid + b"\n") for oid in sorted(boundary.shallow))
        yield from (pkt(b"unshallow " + oid + b"\n") for oid in sorted(boundary.unshallow))

    def pack(self) -> Iterator[bytes]:
        """The pack with everything the client lacks."""
        request = self._request
        wants = [(oid, self._peel(oid)) for oid in request.wants]
        tips = [commit for _, commit in wants if commit is not None]
        newest_first, parents = self._missing(tips)
        walk = TreeWalk(self._store, request.keep, lambda oid: blob_size(self._repo, oid.hex()))
        self._add_trees(newest_first, parents, walk)
        for oid, commit in wants:
            if commit is None:
                self._add_want(oid, walk)
        extra = self._tags(wants, set(newest_first))
        yield from pack_chunks(self._store, [*map(_raw, newest_first), *walk.found, *map(_raw, extra)])

    def _add_trees(self, newest_first: list[ObjectID], parents: Parents, walk: TreeWalk) -> None:
        """Add what each commit brings over its parents, whose trees the client has or gets too."""
        commits = self._commits
        above: defaultdict[ObjectID, list[ObjectID]] = defaultdict(list)
        for oid in self._new_boundary().unshallow:  # the client has them, so that their parents bring little
            for parent in commits.parents(oid):
                above[parent].append(oid)
        whole = not (self._request.haves or above)  # then nothing but what was met already can be left out
        for oid in reversed(newest_first):
            had = () if whole else (*parents(oid), *above[oid])
            walk.add_tree(_raw(commits.tree(oid)), [_raw(commits.tree(other)) for other in had])

    def _add_want(self, oid: ObjectID, walk: TreeWalk) -> None:
        """Wants that are no commits: a partial clone fetches trees and blobs by their id."""
        found = self._store[oid]
        if isinstance(found, Tree):
            walk.add_tree(_raw(oid))
        elif not isinstance(found, Tag):
            walk.add_blob(_raw(oid))

    def _missing(self, tips: list[ObjectID]) -> tuple[list[ObjectID], Parents]:
        request, commits = self._request, self._commits
        haves = [oid for oid in (self._peel(have) for have in request.haves) if oid is not None]
        boundary = self._new_boundary()
        if not request.shallow and not boundary.shallow:
            return missing_commits(commits, tips, haves), commits.parents
        # A shallow client has only what lies above its boundary, so "reachable" is not "had": go by sets.
        old, new = frozenset(request.shallow), (request.shallow | boundary.shallow) - boundary.unshallow

        def parents_had(oid: ObjectID) -> tuple[ObjectID, ...]:
            return () if oid in old or not commits.is_commit(oid) else commits.parents(oid)

        def parents_now(oid: ObjectID) -> tuple[ObjectID, ...]:
            return () if oid in new else commits.parents(oid)

        had = closure(parents_had, haves)
        # What an unshallowed commit now leads to is wanted, although the commit itself is had.
        below = [parent for oid in boundary.unshallow for parent in commits.parents(oid)]
        wanted = closure(parents_now, [*tips, *below]) - had
        return self._parents_last(wanted), parents_now

    def _parents_last(self, wanted: set[ObjectID]) -> list[ObjectID]:
        """Children before parents: the reverse of a depth-first finish order."""
        order: list[ObjectID] = []
        seen: set[ObjectID] = set()
        for start in wanted:
            todo: list[tuple[ObjectID, bool]] = [(start, False)]
            while todo:
                oid, finished = todo.pop()
                if finished:
                    order.append(oid)
                elif oid in wanted and oid not in seen:
                    seen.add(oid)
                    todo.append((oid, True))
                    todo += ((parent, False) for parent in self._commits.parents(oid))
        return order[::-1]

    def _new_boundary(self) -> Boundary:
        if self._boundary is None:
            self._boundary = self._find_boundary()
        return self._boundary

    def _find_boundary(self) -> Boundary:
        request, commits = self._request, self._commits
        tips = [oid for oid in map(self._peel, request.wants) if oid is not None]
        known = frozenset(oid for oid in request.shallow if commits.is_commit(oid))
        if request.depth == INFINITE:
            return Boundary(unshallow=known & self._reachable())
        if request.depth and request.relative:
            return by_depth(commits, known & self._reachable(), request.depth + 1, known)
        if request.depth:
            return by_depth(commits, tips, request.depth, known)
        if request.since is not None or request.exclude:
            since, left_out = request.since or 0, self._excluded()
            return by_rule(commits, tips, lambda oid: commits.time(oid) >= since and oid not in left_out, known)
        return Boundary()

    def _reachable(self) -> set[ObjectID]:
        tips = set(self._repo.refs.as_dict().values())
        return closure(self._commits.parents, filter(None, map(self._peel, tips)))

    def _excluded(self) -> set[ObjectID]:
        refs = {ref.decode("utf-8", "surrogateescape"): oid for ref, oid in self._repo.refs.as_dict().items()}
        starts = []
        for name in self._request.exclude:
            ref = next((ref for ref in (name, f"refs/tags/{name}", f"refs/heads/{name}") if ref in refs), "")
            if not ref:
                raise Invalid(f"deepen-not: there is no ref {name[:100]!r}.")
            starts.append(self._peel(refs[ref]))
        return closure(self._commits.parents, (oid for oid in starts if oid is not None))

    def _tags(self, wants: Iterable[tuple[ObjectID, ObjectID | None]], sent: set[ObjectID]) -> list[ObjectID]:
        """Tag objects that were asked for, and with ``include-tag`` those of commits that are sent."""
        found: dict[ObjectID, None] = {}
        for oid, _ in wants:
            found.update(dict.fromkeys(self._tag_chain(oid)))
        if self._request.include_tag:
            for name, oid in self._repo.refs.as_dict().items():
                if name.startswith(b"refs/tags/") and self._peel(oid) in sent:
                    found.update(dict.fromkeys(self._tag_chain(oid)))
        return list(found)

    def _tag_chain(self, oid: ObjectID) -> list[ObjectID]:
        chain: list[ObjectID] = []
        found = None if self._commits.is_commit(oid) else lookup(self._store, oid)
        while isinstance(found, Tag) and len(chain) < 16:
            chain.append(found.id)
            found = lookup(self._store, found.object[1])
        return chain

    def _peel(self, oid: ObjectID) -> ObjectID | None:
        if self._commits.is_commit(oid):
            return oid
        found = lookup(self._store, oid)
        for _ in range(16):
            if not isinstance(found, Tag):
                break
            found = lookup(self._store, found.object[1])
        return found.id if isinstance(found, Commit) else None


def _raw(oid: ObjectID) -> bytes:
    return bytes.fromhex(oid.decode())


def _framed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Side-band frames on band 1, as large as they may be, then a flush. An error goes out on band 3: git shows it."""
    try:
        yield from _bands(chunks)
    except GlasshubError as error:
        yield pkt(f"\x03{error.message}\n")
    yield FLUSH


def _bands(chunks: Iterable[bytes]) -> Iterator[bytes]:
    waiting: list[bytes] = []
    have = 0
    for chunk in chunks:
        waiting.append(chunk)
        have += len(chunk)
        if have >= _BAND:
            data = b"".join(waiting)
            whole = have - have % _BAND
            yield b"".join(pkt(b"\x01" + data[at : at + _BAND]) for at in range(0, whole, _BAND))
            waiting, have = [data[whole:]], have - whole
    if have:
        yield pkt(b"\x01" + b"".join(waiting))
