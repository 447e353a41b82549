"""What is wrong in a file, and where: one value that every parser returns and every surface shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One problem in one file.

    ``line`` and ``column`` count from 1. ``message`` says what is wrong and what to do, in one or two
    sentences. An ``error`` means the entry (or the file) does not count; a ``warning`` does not.
    """

    path: str
    line: int
    column: int
    message: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.severity}: {self.message}"
