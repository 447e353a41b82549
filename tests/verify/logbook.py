"""Real logs of Inspect as values, to change and pack again."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import yaml
import zstandard

from glasshub.verify.rows import read_rows

QUESTIONS = Path(__file__).parents[2] / "sample_repos" / "datasets" / "glasshub" / "desk-questions"
LOGS = Path(__file__).parent / "logs"
TASKS = {task["id"]: task for task in yaml.safe_load((QUESTIONS / "eval.yaml").read_text("utf-8"))["tasks"]}


def rows(task: str) -> list[dict]:
    """The rows of a task of the sample benchmark."""
    path = QUESTIONS / task / "test.jsonl"
    return list(read_rows(path.name, path.read_bytes()))


def members(task: str = "choice") -> dict[str, object]:
    """A real log as values: name of the member -> JSON."""
    found = {}
    with (LOGS / f"desk-questions-{task}.eval").open("rb") as file, zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            file.seek(info.header_offset + 26)
            lengths = int.from_bytes(file.read(2), "little"), int.from_bytes(file.read(2), "little")
            file.seek(sum(lengths), io.SEEK_CUR)
            packed = file.read(info.compress_size)
            with zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True) as reader:
                found[info.filename] = json.loads(reader.read())
    return found


def packed(said: dict[str, object], method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    """These members as an archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, value in said.items():
            member = zipfile.ZipInfo(name)  # without the time, so that the same log is the same bytes
            member.compress_type = method
            archive.writestr(member, value if isinstance(value, bytes) else json.dumps(value))
    return file
