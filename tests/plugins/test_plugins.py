"""A plugin installed beside the hub: it refuses a push, hears of another, and adds a panel to a card."""

from __future__ import annotations

import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from glasshub import accounts, repos
from glasshub.app import create_app
from glasshub.config import Settings
from glasshub.errors import Invalid
from glasshub.hub import open_hub
from glasshub.plugins import Hooks, Panel, hookimpl
from tests.conftest import Live, free_port, start_server, stop_server
from tests.push import gitclient

EXAMPLE = Path(__file__).with_name("example")
DOCS = Path(__file__).parents[2] / "docs" / "plugins.md"


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """A live hub in whose environment the example is installed."""
    folder = tmp_path_factory.mktemp("extended")
    shutil.copytree(EXAMPLE, folder / "source")
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*command, "--target", folder / "site", folder / "source"], check=True, timeout=120)
    environment = {"PYTHONPATH": str(folder / "site"), "EXAMPLE_PUSHES": str(folder / "pushes.txt")}
    port = free_port()
    process = start_server(folder / "data", port, log=folder / "server.log", env=environment)
    hub = open_hub(Settings(data=folder / "data"))
    yield Live(f"http://127.0.0.1:{port}", hub, process), folder / "pushes.txt"
    hub.close()
    stop_server(process)


@pytest.mark.slow
def test_a_plugin_refuses_hears_and_shows(extended, tmp_path):
    live, pushes = extended
    ada = live.person("ada")
    tree = gitclient.init(tmp_path / "m", live.git_url(f"{ada.name}/m", ada))
    tree.commit("Begin", **{"README.md": "# m"})

    tree.git("tag", "latest")
    refused = tree.git("push", "origin", "main", "latest", check=False)
    assert not refused.ok
    assert "name yours v1, v1.2" in refused.err
    assert not pushes.exists()

    tree.git("tag", "v1.0")
    tree.git("push", "origin", "main", "v1.0")
    assert pushes.read_text().splitlines() == [
        f"{ada.name} moved refs/heads/main of {ada.name}/m",
        f"{ada.name} moved refs/tags/v1.0 of {ada.name}/m",
    ]

    with urllib.request.urlopen(f"{live.url}/{ada.name}/m", timeout=10) as answer:
        page = answer.read().decode()
    assert "Made by" in page
    assert "<strong>questions</strong>" in page


class Broken:
    @hookimpl
    def card_panels(self, repo):
        raise Invalid(f"cannot think of anything about {repo.name}")


class Sound:
    @hookimpl
    def card_panels(self, repo):
        return [Panel(f"About <{repo.name}>", "[guide](docs/g.md) <script>x</script> [bad](javascript:x)")]


def test_a_panel_is_cleaned_and_stays_when_another_plugin_fails(hub):
    accounts.add_user(hub, "ada")
    repos.create(hub, accounts.actor_for(hub, "ada"), "dataset", "ada", "d")
    for plugin in (Broken(), Sound()):
        hub.plugins.register(plugin)
    page = create_app(hub).test_client().get("/datasets/ada/d").text
    assert "<h3>About &lt;d&gt;</h3>" in page
    assert 'href="/datasets/ada/d/blob/main/docs/g.md"' in page
    assert "<script>x" not in page
    assert 'href="javascript' not in page


def test_every_hook_is_described_with_its_arguments():
    text = DOCS.read_text("utf-8")
    for name, hook in vars(Hooks).items():
        if not name.startswith("_"):
            arguments = hook.__code__.co_varnames[1 : hook.__code__.co_argcount]
            assert f"`{name}({', '.join(arguments)})`" in text


def test_the_docs_show_the_example_as_it_is():
    text = DOCS.read_text("utf-8")
    for file in ("setup.cfg", "pyproject.toml", "glasshub_example.py"):
        assert (EXAMPLE / file).read_text("utf-8").strip() in text
