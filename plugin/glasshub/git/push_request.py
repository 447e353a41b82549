"""What a client asks for in a push: the command list, capabilities and push options, read with limits."""

from __future__ import annotations

from dataclasses import dataclass, field

from glasshub.errors import Invalid, TooLarge
from glasshub.git.pktline import Bounded, Readable, read_lines
from glasshub.git.refs import RefUpdate, is_object_id

MOST_LINES = 20_000
MOST_BYTES = 8 * 1024**2
MOST_OPTIONS = 100
MOST_OPTION_BYTES = 4096


@dataclass(slots=True)
class PushRequest:
    """The head of a push; the pack follows it in the stream unless every update deletes."""

    updates: list[RefUpdate] = field(default_factory=list)
    capabilities: frozenset[str] = frozenset()
    options: list[str] = field(default_factory=list)

    @property
    def atomic(self) -> bool:
        """Whether all updates must be applied or none."""
        return "atomic" in self.capabilities

    @property
    def side_band(self) -> bool:
        """Whether report and talk are sent in side bands."""
        return "side-band-64k" in self.capabilities

    @property
    def report_status(self) -> bool:
        """Whether the client wants to know what became of its updates."""
        return "report-status" in self.capabilities


def read_push_request(stream: Readable) -> PushRequest:
    """Read everything before the pack.

    Raises:
        Invalid: it is not as the protocol says, or asks for what this server does not offer.
        TooLarge: it has too many commands or push options.
    """
    request = PushRequest()
    stream = Bounded(stream, MOST_BYTES)
    for line in read_lines(stream, limit=MOST_LINES):
        _read_command(request, bytes(line))
    if request.updates and "push-options" in request.capabilities:
        for option in read_lines(stream, limit=MOST_OPTIONS):
            if len(option) > MOST_OPTION_BYTES:
                raise TooLarge(f"A push option may have at most {MOST_OPTION_BYTES:,} bytes.")
            request.options.append(option.decode("utf-8", "replace"))
    return request


def _read_command(request: PushRequest, line: bytes) -> None:
    command, nul, capabilities = line.partition(b"\0")
    if nul and not request.updates:
        request.capabilities = frozenset(capabilities.decode("utf-8", "replace").split())
        _check_capabilities(request.capabilities)
    words = command.decode("utf-8", "surrogateescape").split(" ", 2)
    if words[0] == "shallow":
        return  # what counts is whether the repo has all that the new objects need, and that is checked
    if words[0] == "push-cert":
        raise Invalid("This hub takes no signed pushes. Push with --no-signed.")
    if len(words) != 3 or not is_object_id(words[0]) or not is_object_id(words[1]):
        raise Invalid("The push has a command that makes no sense. Push with a stock git client.")
    request.updates.append(RefUpdate(*words))


def _check_capabilities(asked: frozenset[str]) -> None:
    formats = {word for word in asked if word.startswith("object-format=")}
    if formats - {"object-format=sha1"}:
        raise Invalid("This hub stores SHA-1 repositories. Convert the repository and push again.")
