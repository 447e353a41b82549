"""Weights and data at a commit, from the hub and nowhere else; each file is checked against its id."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from glasshub.cards import parse_card
from glasshub.errors import GlasshubError, Invalid
from glasshub.evals.eval_yaml import parse_eval_yaml
from glasshub.runner.hub_client import HubClient
from glasshub.verify.assignment import Assignment
from glasshub.verify.digests import is_content, sha256, spec_sha256
from glasshub.verify.rows import Row, card_entry, read_rows, split_files

TRIES = 5
_BLOCK = 1024 * 1024
Tell = Callable[[str], None]


def weights(client: HubClient, given: Assignment, folder: Path, tell: Tell) -> None:
    """Put the files of the model at the commit into a folder: those that its digest covers, so that no other is run.

    Raises:
        GlasshubError: a file cannot be had, or is not what its id says.
    """
    entries = [e for e in client.files("models", given.model, given.model_sha) if is_content(str(e["path"]))]
    total = sum(int(entry["size"]) for entry in entries)
    done = told = 0
    for entry in entries:
        path = folder / _safe(str(entry["path"]))
        path.parent.mkdir(parents=True, exist_ok=True)
        if not done or done - told > total / 50:
            tell(f"fetching weights: {done / max(total, 1):.0%} of {total:,} bytes")
            told = done
        _fetch(client, _place(given.model, given.model_sha, entry["path"]), path)
        _check(path, entry)
        done += int(entry["size"])


def asked(client: HubClient, given: Assignment) -> tuple[Mapping[str, Any], list[Row]]:
    """The task's entry in ``eval.yaml`` and the rows of its split, for the runner's own audit.

    Raises:
        Invalid: they are not what the hub said, or cannot be read here.
        GlasshubError: they cannot be had.
    """
    entries = {str(entry["path"]): entry for entry in client.files("datasets", given.dataset, given.dataset_sha)}

    def read(path: str) -> bytes:
        place = _place(f"datasets/{given.dataset}", given.dataset_sha, path)
        with client.stream(place) as answer:
            data: bytes = answer.read()
        if _ids(data, entries[path]) != _expected(entries[path]):
            raise GlasshubError(f"{path} of {given.dataset} is not what the hub lists.")
        return data

    text = read("eval.yaml") if "eval.yaml" in entries else b""
    spec = parse_eval_yaml(text).spec
    task = next((task for task in spec.tasks if task.id == given.task), None) if spec else None
    card = parse_card(read("README.md")).front_matter if "README.md" in entries else {}
    if task is None or sha256(text) != given.eval_yaml_sha256:
        raise Invalid("The eval.yaml of the dataset is not the one that the job names.")
    if spec_sha256(task.spec, card_entry(card, task.config)) != given.spec_sha256:
        raise Invalid("The task, or what the card says of its data, is not what the job names.")
    files = split_files(list(entries), card, task.config, task.split)
    return task.spec, [row for path in files for row in read_rows(path, read(path))]


def _place(repo: str, commit: str, path: str) -> str:
    return f"/{quote(repo)}/resolve/{commit}/{quote(str(path))}"


def _safe(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\0" in path:
        raise Invalid(f"The model has a file under an impossible name, {path!r}.")
    return path


def _fetch(client: HubClient, place: str, path: Path) -> None:
    """Write what is at a place, going on after a cut."""
    for attempt in range(TRIES):
        start = path.stat().st_size if path.exists() else 0
        try:
            with client.stream(place, start=start) as answer, path.open("ab" if answer.status == 206 else "wb") as file:
                while block := answer.read(_BLOCK):
                    file.write(block)
            return
        except (GlasshubError, OSError):
            if attempt + 1 == TRIES:
                raise


def _check(path: Path, entry: Mapping[str, Any]) -> None:
    large, size = isinstance(entry.get("lfs"), dict), path.stat().st_size
    digest = hashlib.sha256() if large else hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    if digest.hexdigest() != _expected(entry):
        raise GlasshubError(f"{entry['path']} came damaged: its digest is not what the hub lists.")


def _ids(data: bytes, entry: Mapping[str, Any]) -> str:
    if isinstance(entry.get("lfs"), dict):
        return sha256(data)
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _expected(entry: Mapping[str, Any]) -> str:
    large = entry.get("lfs")
    return str(large["oid"] if isinstance(large, dict) else entry["oid"])
