"""Writing files so that they survive a power cut."""

from __future__ import annotations

import os
from pathlib import Path


def sync_file(path: Path) -> None:
    """Flush a file's content to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(path: Path) -> None:
    """Flush a folder's entries to disk; a folder that is gone has nothing to flush."""
    try:
        sync_file(path)
    except FileNotFoundError:
        return


def replace_file(path: Path, data: bytes) -> None:
    """Write a small file whole or not at all, durable when this returns."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_bytes(data)
    sync_file(fresh)
    fresh.replace(path)
    sync_folder(path.parent)
