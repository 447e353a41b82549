"""The pages, mirrored by the folders of ``templates/``."""

from __future__ import annotations

from flask import Blueprint

from glasshub.web.pages import (
    access_requests,
    collections,
    dataset,
    device,
    discussions,
    discussions_change,
    edit,
    evaluation_history,
    files,
    history,
    home,
    jobs,
    leaderboard,
    likes,
    listing,
    model,
    org_settings,
    people,
    pulls,
    repo_settings,
    result,
    settings,
    sign_in,
    submit,
)
from glasshub.web.pages.notices import feeds, inbox, webhooks

BLUEPRINTS: list[Blueprint] = [
    home.bp,
    sign_in.bp,
    device.bp,
    settings.bp,
    org_settings.bp,
    repo_settings.bp,
    access_requests.bp,
    listing.bp,
    collections.bp,
    people.bp,
    model.bp,
    likes.bp,
    evaluation_history.bp,
    result.bp,
    jobs.bp,
    submit.bp,
    dataset.bp,
    leaderboard.bp,
    files.bp,
    edit.bp,
    history.bp,
    discussions.bp,
    discussions_change.bp,
    pulls.bp,
    webhooks.bp,
    inbox.bp,
    feeds.bp,
]
