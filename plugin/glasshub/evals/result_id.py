"""What makes two results the same claim: their content, wherever in the repo it stands."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from glasshub.evals.eval_results import ResultEntry

LENGTH = 16


def result_id(entry: ResultEntry) -> str:
    """The id of a result: 16 hex digits of the SHA-256 of what it says.

    Moving an entry to another line, file or branch keeps its id; changing the value, the source or anything else
    in it makes another result. So a hidden result stays hidden when its pull request is merged, and a corrected
    one shows.
    """
    source = entry.source
    said: list[Any] = [
        entry.dataset_id.lower(), entry.task_id, entry.dataset_revision, repr(entry.value), entry.date,
        [source.url, source.name, source.user, source.org] if source else [], entry.notes, entry.verify_token,
        entry.extra, entry.unknown,
    ]  # fmt: skip
    text = json.dumps(said, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]


def summary(entry: ResultEntry) -> dict[str, Any]:
    """What an event says of a result, for the record: id, dataset, task, value as written, and where it stood."""
    said = {
        "id": result_id(entry),
        "dataset": entry.dataset_id,
        "task": entry.task_id,
        "value": entry.value_text,
        "path": entry.path,
        "source": entry.source.url if entry.source else "",
    }
    return {key: value for key, value in said.items() if value}
