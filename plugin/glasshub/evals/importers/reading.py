"""One file of any format: asked of each importer in turn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from glasshub.errors import Invalid, TooLarge
from glasshub.evals.importers import card_claims, every_eval_ever, inspect_log, lighteval, lm_eval
from glasshub.evals.importers.proposal import MAX_BYTES, Importer, LogFile, Proposal

BUILT_IN = (
    inspect_log.IMPORTER,
    lm_eval.IMPORTER,
    lighteval.IMPORTER,
    every_eval_ever.IMPORTER,
    card_claims.IMPORTER,
)


def propose(file: LogFile, importers: Iterable[Importer] = BUILT_IN) -> Proposal:
    """What a file says, by the first importer whose format it is.

    Raises:
        Invalid: it is of no known format, or of one and cannot be used.
        TooLarge: it has more bytes than are read.
    """
    if len(file.data) > MAX_BYTES:
        raise TooLarge(f"The file has {len(file.data):,} bytes; at most {MAX_BYTES:,} are read.")
    known = []
    for importer in importers:
        found = importer.read(file)
        if found is not None:
            return replace(found, sha256=file.sha256, size=len(file.data))
        known.append(importer.name)
    raise Invalid(f"This file is of no format that is read here. Those are: {', '.join(known)}.")
