"""The pages, mirrored by the folders of ``templates/``."""

from __future__ import annotations

from flask import Blueprint

BLUEPRINTS: list[Blueprint] = []
