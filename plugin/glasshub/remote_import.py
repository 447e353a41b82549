"""Importing a file of an evaluation tool into a hub elsewhere, by the API that stock clients use."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from glasshub.errors import Conflict, EntryNotFound, GlasshubError, Invalid
from glasshub.evals.entry_text import slug_of, write_entry
from glasshub.evals.eval_results import FOLDER, ResultEntry
from glasshub.evals.importers.answers import Tasks
from glasshub.evals.importers.proposal import MAX_KEPT, MOST_BENCHMARKS, Proposal
from glasshub.remote import RemoteHub, raw


@dataclass(frozen=True, slots=True)
class Opened:
    """A pull request that was opened."""

    number: int
    address: str


@dataclass(frozen=True)
class RemoteImport:
    """A hub elsewhere, as the user of ``HF_TOKEN``, and a model there."""

    hub: RemoteHub
    model_id: str
    tasks: Tasks = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tasks", cache(self._tasks))

    def require_model(self) -> str:
        """The model's id as it is now. Raises ``EntryNotFound`` if it is not there for this user."""
        return str(_mapping(self.hub.json(f"/api/models/{quote(self.model_id)}"), "the model").get("id") or "")

    def benchmarks(self) -> list[str]:
        """The ids of benchmarks there."""
        found = self.hub.json(f"/api/benchmarks?limit={MOST_BENCHMARKS}")
        return [str(row.get("id")) for row in found if isinstance(row, dict)] if isinstance(found, list) else []

    def _tasks(self, dataset_id: str) -> Sequence[str] | None:
        try:
            found = self.hub.json(f"/api/datasets/{quote(dataset_id)}/benchmark")
        except EntryNotFound:
            return None
        return [str(task.get("id")) for task in _mapping(found, "the benchmark").get("tasks") or ()]

    def withheld(self, proposal: Proposal, datasets: Iterable[str]) -> str:
        """Why the file itself is not to be put into the model's repo; ``""`` if it may be."""
        if proposal.size > MAX_KEPT:
            return f"The file has more than {MAX_KEPT // 1024**2} MB."
        for dataset_id in sorted(set(datasets)):
            try:
                found = _mapping(self.hub.json(f"/api/datasets/{quote(dataset_id)}"), "the dataset")
            except EntryNotFound:
                if proposal.holds_items:
                    return (
                        f"The file holds questions of {dataset_id}, which is not on that hub: are they for everybody?"
                    )
                continue
            if found.get("private") is not False or found.get("gated") is not False:
                return f"{dataset_id} is {'private' if found.get('private') else 'gated'}."
        return ""

    def check(self, said: Sequence[Mapping[str, str]]) -> None:
        """Return if the entries can be written. Raises ``Invalid``."""
        for fields in said:
            _written(fields, "results.yaml")

    def send(
        self, proposal: Proposal, data: bytes, said: Sequence[Mapping[str, str]], *, title: str, keep: bool
    ) -> Opened:
        """Open a pull request: a commit with the file, then one with the results.

        Raises:
            Conflict: one of the results was imported from this file before.
            Invalid: an entry is not valid.
            GlasshubError: the hub refuses it, or cannot be reached.
        """
        revision, source, number = "main", "", 0
        self._require_new(said)
        for path, _ in _files(proposal, [dict(fields) for fields in said]):
            self._require_absent(path)
        if keep:
            kept = [(proposal.kept_path, data)]
            made = self._commit(kept, title, "main", pull=True)
            number, revision = _number(made), f"refs/pr/{_number(made)}"
            source = f"{self.hub.address}{raw(self.model_id, str(made['commitOid']), proposal.kept_path)}"
        files = _files(proposal, [_with_source(fields, proposal, source) for fields in said])
        try:
            made = self._commit(files, title, revision, pull=not keep)
        except GlasshubError as error:
            if number:
                opened = f"The file is in pull request {number}, the results are not"
                raise type(error)(f"{error.message} {opened}: close it and try again.") from error
            raise
        number = number or _number(made)
        return Opened(number, f"{self.hub.address}/{self.model_id}/discussions/{number}")

    def _require_new(self, said: Sequence[Mapping[str, str]]) -> None:
        """Return if no result there is the same number of the same file; of hidden ones the hub tells no more."""
        try:
            found = self.hub.json(f"/api/models/{quote(self.model_id)}/eval-results?hidden=true")
        except EntryNotFound:
            return  # a hub of another kind
        wanted = [entry for entry in (write_entry(fields, "results.yaml").entry for fields in said) if entry]
        for row in found if isinstance(found, list) else ():
            data = _dict(_dict(row).get("data"))
            for entry in wanted:
                if not _is_same(entry, data, hidden=row.get("state") == "hidden"):
                    continue
                pull = row.get("pullRequest")
                where = f"in pull request {pull}" if pull else f"on main in {row.get('filename')}"
                hidden = ", hidden by the author" if row.get("state") == "hidden" else ""
                raise Conflict(f"This result was imported from the same file before: it stands {where}{hidden}.")

    def _require_absent(self, path: str) -> None:
        try:
            self.hub.bytes(raw(self.model_id, "main", path))
        except EntryNotFound:
            return
        raise Conflict(f"{path} is on main already: this file was imported before.")

    def _commit(self, files: Sequence[tuple[str, bytes]], summary: str, revision: str, *, pull: bool) -> dict[str, Any]:
        lines: list[dict[str, Any]] = [{"key": "header", "value": {"summary": summary, "description": ""}}]
        for path, content in files:
            value = {"path": path, "encoding": "base64", "content": base64.b64encode(content).decode()}
            lines.append({"key": "file", "value": value})
        body = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
        query = f"?{urlencode({'create_pr': 1})}" if pull else ""
        path = f"/api/models/{quote(self.model_id)}/commit/{quote(revision, safe='')}{query}"
        return _mapping(self.hub.post(path, body, "application/x-ndjson"), "the commit")


def _files(proposal: Proposal, said: Sequence[Mapping[str, str]]) -> list[tuple[str, bytes]]:
    """The result files, one for each dataset, called after it and the imported file. Raises ``Invalid``."""
    texts: defaultdict[str, str] = defaultdict(str)
    for fields in said:
        path = f"{FOLDER}/{slug_of(fields['dataset'])}-{proposal.sha256[:12]}.yaml"
        texts[path] += _written(fields, path)
    return [(path, text.encode()) for path, text in texts.items()]


def _is_same(entry: ResultEntry, data: Mapping[str, Any], *, hidden: bool) -> bool:
    dataset, extra = _dict(data.get("dataset")), _dict(data.get("extra"))
    place = (str(dataset.get("id")).lower(), dataset.get("task_id"))
    if place != (entry.dataset_id.lower(), entry.task_id):
        return False
    if hidden:
        return bool(data.get("value") == entry.value)
    return all(extra.get(key) == entry.extra.get(key) for key in ("log_sha256", "metric", "reported_as"))


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _written(fields: Mapping[str, str], path: str) -> str:
    written = write_entry(fields, path)
    if written.entry is None or written.errors:
        raise Invalid(next(iter(written.errors.values()), "The result cannot be written."))
    return written.text


def _with_source(fields: Mapping[str, str], proposal: Proposal, source: str) -> dict[str, str]:
    if not source or fields.get("source_url"):
        return dict(fields)
    return {**fields, "source_url": source, "source_name": fields.get("source_name") or f"File of {proposal.tool}"}


def _number(made: Mapping[str, Any]) -> int:
    text = str(made.get("pullRequestUrl") or "").rpartition("/")[2]
    if not text.isdecimal():
        raise GlasshubError("The hub opened no pull request. Is it one that takes them?")
    return int(text)


def _mapping(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise GlasshubError(f"What the hub answers about {what} is not what it should be.")
    return value
