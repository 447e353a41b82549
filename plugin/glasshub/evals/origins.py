"""Where a result comes from: the author's ``main``, or somebody's open pull request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from glasshub.evals.eval_results import ResultEntry

Identity = tuple[object, ...]


def entry_identity(entry: ResultEntry) -> Identity:
    """What makes two entries the same claim: everything they say, wherever they stand."""
    source = entry.source
    return (
        entry.dataset_id.lower(),
        entry.task_id,
        entry.dataset_revision,
        entry.value,
        entry.date,
        entry.verify_token,
        None if source is None else (source.url, source.name, source.user, source.org),
        entry.notes,
        repr(sorted(entry.extra.items(), key=lambda item: item[0])),
    )


def community_entries(
    head: Mapping[str, Sequence[ResultEntry]], changed: Sequence[str], main: Sequence[ResultEntry]
) -> list[ResultEntry]:
    """The entries that a pull request contributes.

    Args:
        head: the entries of each result file at the pull request's head.
        changed: the paths it adds or changes against its merge base (so a pull request that falls behind
            ``main`` never shows ``main``'s newer results as its own).
        main: the entries on ``main`` now; identical ones are not counted twice.
    """
    known = {entry_identity(entry) for entry in main}
    found = []
    for path in sorted(changed):
        for entry in head.get(path, ()):
            identity = entry_identity(entry)
            if identity not in known:
                known.add(identity)
                found.append(entry)
    return found
