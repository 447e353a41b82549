"""The Hub API, one module per noun; the contract is the stock clients."""

from __future__ import annotations

from flask import Blueprint

from glasshub.web.api import (
    absent,
    access_requests,
    accounts,
    benchmarks,
    branches,
    cards,
    collections,
    commit,
    commits,
    discussions,
    exports,
    fallback,
    history,
    info,
    lfs_files,
    likes,
    listing,
    notifications,
    preupload,
    repos,
    result_decisions,
    runners,
    tree,
    webhooks,
)

BLUEPRINTS: list[Blueprint] = [
    accounts.bp,
    listing.bp,
    info.bp,
    tree.bp,
    branches.bp,
    commits.bp,
    lfs_files.bp,
    preupload.bp,
    commit.bp,
    discussions.bp,
    repos.bp,
    access_requests.bp,
    benchmarks.bp,
    exports.bp,
    result_decisions.bp,
    runners.bp,
    cards.bp,
    history.bp,
    webhooks.bp,
    notifications.bp,
    likes.bp,
    collections.bp,
    absent.bp,
    fallback.bp,
]
