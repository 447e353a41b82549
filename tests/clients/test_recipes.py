"""Each recipe of docs/clients.md does what it says, run as it is written with the address, name and token put in."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.require import require

TEXT = (Path(__file__).parents[2] / "docs" / "clients.md").read_text("utf-8")
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```", re.M | re.S)
FIRST, *REST = re.split(r"^## ", TEXT, flags=re.M)
RECIPES = {section.partition("\n")[0]: section for section in REST}
PROGRAMS = {"git and git-lfs": "git-lfs", "datasets": "clients", "transformers": "clients", "Inspect": "inspect"}
pytestmark = pytest.mark.slow


def script(text: str, live, person, model_url: str) -> str:
    """The blocks of ``text`` as one shell script for the live hub."""
    text = text.replace("http://localhost:8080/v1", model_url)
    blocks = (body if kind == "sh" else f"python - <<'END'\n{body}END\n" for kind, body in BLOCK.findall(text))
    address = live.url.removeprefix("http://")
    written = "".join(blocks).replace("TOKEN\n", f"{person.token}\n").replace(":TOKEN@", f":{person.token}@")
    written = written.replace("ada@hub.example", "ada-mail").replace("hub.example", address)
    return re.sub(r"\bada(?=[/:])", person.name, written)


@pytest.mark.parametrize("title", RECIPES)
def test_recipe(live, tmp_path, model_url, title):
    program = require(PROGRAMS[title]) if title in PROGRAMS else ""
    python = program if PROGRAMS.get(title) in ("clients", "inspect") else sys.executable
    environment = {
        "PATH": f"{Path(python).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "NO_PROXY": "127.0.0.1",
        "GIT_TERMINAL_PROMPT": "0",
    }
    command = ["bash", "-e", "-c", script(FIRST + RECIPES[title], live, live.person("ada"), model_url)]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
