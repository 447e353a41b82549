"""The Hub API, one module per noun; the contract is the stock clients."""

from __future__ import annotations

from flask import Blueprint

from glasshub.web.api import absent, accounts, benchmarks, cards, commits, fallback, info, listing, tree

BLUEPRINTS: list[Blueprint] = [
    accounts.bp,
    listing.bp,
    info.bp,
    tree.bp,
    commits.bp,
    benchmarks.bp,
    cards.bp,
    absent.bp,
    fallback.bp,
]
