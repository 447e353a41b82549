"""Which numbers of parameters people choose from in lists and leaderboards."""

from __future__ import annotations

SIZES = ("100M", "500M", "1B", "3B", "7B", "14B", "32B", "70B", "200B")


def size_choices(asked: str) -> list[tuple[str, str]]:
    """Values of ``num_parameters`` with what to call them; what was asked for by hand is among them."""
    found = [("", "any"), *((f"max:{size}", f"up to {size}") for size in SIZES)]
    return found if asked in dict(found) else [*found, (asked, asked)]
