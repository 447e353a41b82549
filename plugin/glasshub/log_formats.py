"""Which files of evaluation tools the hub reads: its own importers, as a plugin like any other, and those of others."""

from __future__ import annotations

from collections.abc import Sequence

from pluggy import PluginManager

from glasshub.evals.importers.proposal import Importer, LogFile, Proposal
from glasshub.evals.importers.reading import BUILT_IN, propose
from glasshub.plugins import hookimpl


@hookimpl
def importers() -> Sequence[Importer]:
    """The formats that the hub itself reads."""
    return BUILT_IN


def read_log(plugins: PluginManager, file: LogFile) -> Proposal:
    """What a file says, by the first importer whose format it is; those of other plugins come before the hub's.

    Raises:
        Invalid: it is of no known format, or of one and cannot be used.
        TooLarge: it has more bytes than are read.
    """
    return propose(file, [importer for found in plugins.hook.importers() for importer in found])
