"""The rows of a benchmark's data at a commit: which files make a split, and what they hold.

Follows what ``datasets`` does with plain files (https://huggingface.co/docs/datasets/repository_structure): the card's
``configs`` if there are any, else names of files and folders. What is not understood is said to be unknown.
"""

from __future__ import annotations

import csv
import fnmatch
import importlib
import io
import json
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from glasshub.errors import Invalid

Row = Mapping[str, Any]
MAX_ROWS = 2_000_000
_SPLITS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test", "testing", "eval", "evaluation"),
}
_ENDINGS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")


def split_files(paths: Sequence[str], card: Mapping[str, Any], config: str, split: str) -> list[str]:
    """The files of a config's split, in the order in which their rows are numbered.

    Args:
        paths: all files of the commit.
        card: the front matter of its README.
        config: the config's name, ``default`` for the only one.
        split: the split's name.

    Raises:
        Invalid: it cannot be told which files they are.
    """
    data = sorted(path for path in paths if path.endswith(_ENDINGS) and not path.startswith("."))
    configs = [entry for entry in card.get("configs") or () if isinstance(entry, Mapping)]
    if not configs:
        if config != "default":
            raise Invalid(f"The card has no configs, so there is no config {config}.")
        return _by_name(data, split)
    for entry in configs:
        if entry.get("config_name", "default") == config:
            return _of_config(data, entry, split)
    raise Invalid(f"The card has no config {config}.")


def card_entry(card: Mapping[str, Any], config: str) -> Mapping[str, Any] | None:
    """What a card's ``configs`` say of a config; ``None`` if they say nothing."""
    said = card.get("configs")
    for entry in said if isinstance(said, list) else ():
        if isinstance(entry, Mapping) and entry.get("config_name", "default") == config:
            return entry
    return None


def read_rows(path: str, data: bytes) -> Iterator[Row]:
    """The rows of one file, by the ending of its name.

    Raises:
        Invalid: it is damaged, has too many rows, or is of a kind that cannot be read here.
    """
    try:
        for number, row in enumerate(_READERS[posixpath.splitext(path)[1]](data)):
            if number >= MAX_ROWS or not isinstance(row, Mapping):
                raise Invalid(f"{path} has more than {MAX_ROWS:,} rows, or rows that are no mappings.")
            yield row
    except KeyError as error:
        raise Invalid(f"Files like {path} cannot be read here.") from error
    except (ValueError, csv.Error, RecursionError) as error:
        raise Invalid(f"{path} is damaged: {error}.") from error


def _of_config(data: Sequence[str], entry: Mapping[str, Any], split: str) -> list[str]:
    said = str(entry.get("data_dir") or "")
    folder = said.strip("/")
    within = [path for path in data if not folder or path.startswith(f"{folder}/")]
    patterns = _patterns(entry.get("data_files"), split)
    if outside := next((pattern for pattern in (said, *(patterns or ())) if _leads_out(pattern)), ""):
        raise Invalid(f"The card names data outside of the repo: {outside[:200]}.")
    if patterns is None:
        return _by_name(within, split)
    full = [posixpath.normpath(posixpath.join(folder, pattern)) for pattern in patterns]
    found = list(dict.fromkeys(path for pattern in full for path in within if _matches(path, pattern)))
    if not found:
        raise Invalid(f"No file is named by the card for the split {split}.")
    return found


def _leads_out(pattern: str) -> bool:
    """Whether ``datasets`` would look on the disk of whoever loads it, or elsewhere on the net."""
    return "://" in pattern or "::" in pattern or pattern.startswith(("/", "~", "\\")) or ".." in pattern.split("/")


def _patterns(said: object, split: str) -> list[str] | None:
    """The patterns of a split in ``data_files``; ``None`` when the card gives none at all."""
    if said is None:
        return None
    if isinstance(said, str):
        said = [said]
    if isinstance(said, Mapping):
        said = [{"split": name, "path": path} for name, path in said.items()]
    if not isinstance(said, Sequence):
        raise Invalid("data_files of the card are not understood.")
    if all(isinstance(pattern, str) for pattern in said):
        return list(said) if split == "train" else []
    patterns: list[str] = []
    for item in said:
        if isinstance(item, Mapping) and item.get("split") == split:
            path = item.get("path")
            patterns += [path] if isinstance(path, str) else [str(part) for part in path or ()]
    return patterns


def _matches(path: str, pattern: str) -> bool:
    if "**" in pattern:
        return fnmatch.fnmatchcase(path, pattern.replace("**/", "*")) or fnmatch.fnmatchcase(path, pattern)
    return path.count("/") == pattern.count("/") and fnmatch.fnmatchcase(path, pattern)


def _by_name(data: Sequence[str], split: str) -> list[str]:
    """The files whose name, or a folder of theirs, has the split as a word of its own."""
    words = "|".join(re.escape(word) for word in _SPLITS.get(split, (split,)))
    pattern = re.compile(rf"(?:^|[/._\- 0-9])(?:{words})(?:[/._\- 0-9]|$)", re.IGNORECASE)
    found = [path for path in data if pattern.search(path)]
    if not found and split == "train" and data and not any(_names_a_split(path) for path in data):
        return list(data)
    if not found:
        raise Invalid(f"No data file is named after the split {split}.")
    return found


def _names_a_split(path: str) -> bool:
    words = "|".join(word for group in _SPLITS.values() for word in group)
    return re.search(rf"(?:^|[/._\- 0-9])(?:{words})(?:[/._\- 0-9]|$)", path, re.IGNORECASE) is not None


def _json_lines(data: bytes) -> Iterator[Any]:
    for line in data.splitlines():
        if line.strip():
            yield json.loads(line)


def _json_document(data: bytes) -> Iterator[Any]:
    if data.lstrip()[:1] != b"[":
        yield from _json_lines(data)
        return
    yield from json.loads(data)


def _separated(delimiter: str) -> Callable[[bytes], Iterator[Any]]:
    def read(data: bytes) -> Iterator[Any]:
        text = io.StringIO(data.decode("utf-8-sig"), newline="")
        yield from csv.DictReader(text, delimiter=delimiter)

    return read


def _parquet(data: bytes) -> Iterator[Any]:
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ModuleNotFoundError as error:
        raise Invalid(
            "Parquet can be read only where pyarrow is installed: pip install 'glasshub[parquet]'."
        ) from error
    with parquet.ParquetFile(io.BytesIO(data)) as file:
        for batch in file.iter_batches(batch_size=1_000):
            yield from batch.to_pylist()


_READERS: Mapping[str, Callable[[bytes], Iterator[Any]]] = {
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".json": _json_document,
    ".csv": _separated(","),
    ".tsv": _separated("\t"),
    ".parquet": _parquet,
}
