"""Programs that some tests need: skip with advice when one is missing, fail when all are required."""

from __future__ import annotations

import os
import shutil

import pytest

INSTALL = {
    "git": "apt-get install git",
    "git-lfs": "apt-get install git-lfs",
    "chromium": "apt-get install chromium chromium-driver",
    "nginx": "apt-get install nginx-light",
    "openssl": "apt-get install openssl",
    "clients": "pip install datasets transformers jinja2 (in an environment of its own); GLASSHUB_CLIENTS=its python",
    "client-envs": "a folder of virtual environments, made as .ci/run makes them; GLASSHUB_CLIENT_ENVS=the folder",
    "inspect": "pip install inspect-ai datasets openai (in an environment of its own), and put its bin folder on PATH",
}


def require(program: str) -> str:
    """The path of ``program``.

    Skips the test when it is missing; with ``GLASSHUB_REQUIRE=all`` the test fails instead.
    """
    found = os.environ.get(f"GLASSHUB_{program.upper().replace('-', '_')}") or shutil.which(program)
    found = found or shutil.which(program, path="/usr/sbin")
    if found:
        return found
    pytest.skip(f"{program} is not installed: {INSTALL[program]}")
