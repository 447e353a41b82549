"""What a client asks of ``git-upload-pack``: the lines of both protocol generations, read with limits."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from dulwich.objects import ObjectID

from glasshub.errors import Invalid
from glasshub.git.object_walk import Filter
from glasshub.git.shallow import INFINITE

MAX_LINES = 200_000
MAX_BYTES = 16 * 1024**2
_HEX = re.compile(rb"[0-9a-f]{40}")


@dataclass(slots=True)
class FetchRequest:
    """Wants, haves and how the answer should look."""

    wants: list[ObjectID] = field(default_factory=list)
    haves: list[ObjectID] = field(default_factory=list)
    shallow: set[ObjectID] = field(default_factory=set)
    depth: int = 0
    relative: bool = False
    since: int | None = None
    exclude: list[str] = field(default_factory=list)
    keep: Filter = field(default_factory=Filter)
    done: bool = False
    wait_for_done: bool = False
    include_tag: bool = False
    capabilities: frozenset[str] = frozenset()

    @property
    def deepens(self) -> bool:
        """Whether the client asks for a new shallow boundary."""
        return bool(self.depth or self.since is not None or self.exclude)

    def take(self, line: bytes) -> None:
        """Read one line. Raises ``Invalid`` for what is neither understood nor harmless."""
        word, _, rest = line.partition(b" ")
        if word in (b"want", b"have", b"shallow"):
            self._take_id(word, rest)
        elif word == b"deepen":
            self.depth = min(_number(rest), INFINITE)
        elif word == b"deepen-since":
            self.since = _number(rest)
        elif word == b"deepen-not":
            self.exclude.append(rest.decode("utf-8", "surrogateescape"))
        elif word == b"filter":
            self.keep = parse_filter(rest.decode("ascii", "replace"))
        elif word in (b"done", b"wait-for-done", b"include-tag", b"deepen-relative"):
            name = {b"deepen-relative": "relative"}.get(word, word.decode().replace("-", "_"))
            setattr(self, name, True)
        # thin-pack, ofs-delta, no-progress and the like only allow us more than we use

    def _take_id(self, word: bytes, rest: bytes) -> None:
        oid, _, capabilities = rest.partition(b" ")
        if not _HEX.fullmatch(oid):
            raise Invalid(f"The fetch has a {word.decode()} line without an object id. Use a stock git client.")
        if word == b"want":
            self.wants.append(ObjectID(oid))
            if capabilities:
                self.capabilities = frozenset(capabilities.decode("utf-8", "replace").split())
                self.include_tag = "include-tag" in self.capabilities
                self.relative = "deepen-relative" in self.capabilities
        elif word == b"have":
            self.haves.append(ObjectID(oid))
        else:
            self.shallow.add(ObjectID(oid))


def read_request(lines: Iterable[bytes]) -> FetchRequest:
    """A request from its lines."""
    request = FetchRequest()
    for line in lines:
        request.take(line)
    return request


def parse_filter(text: str) -> Filter:
    """A filter specification: ``blob:none``, ``blob:limit=<n>[kmg]`` or ``tree:0``.

    Raises:
        Invalid: another one.
    """
    if text == "blob:none":
        return Filter(blobs=False)
    if text == "tree:0":
        return Filter(blobs=False, trees=False)
    if found := re.fullmatch(r"blob:limit=(\d{1,15})([kmg]?)", text):
        return Filter(blob_limit=int(found[1]) * {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}[found[2]])
    raise Invalid(f"The filter {text[:60]!r} is not supported. Use blob:none, blob:limit=<size> or tree:0.")


def _number(text: bytes) -> int:
    if not re.fullmatch(rb"\d{1,12}", text):
        raise Invalid("The fetch has a number that makes no sense. Use a stock git client.")
    return int(text)
