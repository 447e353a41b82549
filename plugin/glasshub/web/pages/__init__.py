"""The pages, mirrored by the folders of ``templates/``."""

from __future__ import annotations

from flask import Blueprint

from glasshub.web.pages import dataset, files, history, home, leaderboard, listing, model, people

BLUEPRINTS: list[Blueprint] = [
    home.bp,
    listing.bp,
    people.bp,
    model.bp,
    dataset.bp,
    leaderboard.bp,
    files.bp,
    history.bp,
]
