"""What people install holds everything that the tree holds, and serves."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import pytest

from tests.conftest import free_port, stop_server

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "plugin" / "glasshub"
LEFT_OUT = (".venv", ".git", "build", "dist", "glasshub-data", "__pycache__", "*.egg-info", ".*_cache", ".hypothesis")
pytestmark = pytest.mark.slow


def files_below(folder: Path) -> set[str]:
    """Paths of all files, through symlinked folders, without caches."""
    found = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if name != "__pycache__"]
        found |= {(Path(parent) / name).relative_to(folder).as_posix() for name in names}
    return {path for path in found if not path.endswith(".pyc")}


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """A clean copy of the tree, so that building leaves no traces in the real one."""
    copy = tmp_path_factory.mktemp("tree") / "glasshub"
    shutil.copytree(ROOT, copy, symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT))
    return copy


@pytest.fixture(scope="module")
def tree_files(tree) -> set[str]:
    """What the tree holds before anything is built in it."""
    return files_below(tree)


def build(tree: Path, out: Path, *options: str) -> Path:
    command = [sys.executable, "-m", "build", "--no-isolation", *options, "--outdir", str(out), str(tree)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="module")
def archives(tree, tree_files, tmp_path_factory) -> dict[str, Path]:
    """The wheel that ``pip install .`` makes, the sdist, and the wheel made from that sdist."""
    from_tree = build(tree, tmp_path_factory.mktemp("tree-wheel"), "--wheel")
    both = build(tree, tmp_path_factory.mktemp("sdist"))
    return {
        "wheel": next(from_tree.glob("*.whl")),
        "sdist": next(both.glob("*.tar.gz")),
        "wheel of sdist": next(both.glob("*.whl")),
    }


@pytest.mark.parametrize("kind", ["wheel", "wheel of sdist"])
def test_a_wheel_holds_the_package_and_nothing_else(archives, tree, kind):
    names = {name for name in zipfile.ZipFile(archives[kind]).namelist() if not name.endswith("/")}
    packaged = {name.removeprefix("glasshub/") for name in names if name.startswith("glasshub/")}
    assert packaged == files_below(tree / "plugin" / "glasshub")
    assert {name.split("/")[0] for name in names} - {"glasshub"} == {"glasshub-0.1.0.dist-info"}


def test_a_wheel_holds_what_lies_outside_the_package_in_the_tree(archives):
    names = set(zipfile.ZipFile(archives["wheel"]).namelist())
    for folder in ("templates", "sample_repos"):
        expected = {f"glasshub/{folder}/{path}" for path in files_below(ROOT / folder)}
        assert expected
        assert expected <= names
    assert any("/.eval_results/" in name for name in names)
    assert any(name.startswith("glasshub/web/static/") for name in names)


def test_an_sdist_holds_the_tree(archives, tree_files):
    with tarfile.open(archives["sdist"]) as archive:
        names = {"/".join(member.name.split("/")[1:]) for member in archive if member.isfile()}
    assert tree_files - {".gitignore"} <= names


@pytest.mark.parametrize("kind", ["wheel", "wheel of sdist", "editable"])
def test_what_is_installed_serves(archives, tree, tmp_path, kind):
    if kind == "editable":
        python = install(["--editable", str(tree)], tmp_path / "venv")
    else:
        python = install([str(archives[kind])], tmp_path / "venv")
    where = run(python, "import glasshub; print(glasshub.__file__)")
    assert where.startswith(str(tree if kind == "editable" else tmp_path))
    assert int(run(python, "from glasshub import demo; print(len(list(demo.samples())))")) > 20
    url = f"http://127.0.0.1:{(port := free_port())}"
    with (tmp_path / "log").open("wb") as log:
        command = [str(python.with_name("glasshub")), "--data", "data", "serve", "--port", str(port), "--workers", "1"]
        process = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log)
    try:
        assert "</html>" in get(f"{url}/", process)
        assert "{" in get(f"{url}/static/glasshub.css", process)
        assert "LeaderboardRow" in get(f"{url}/api/openapi.json", process)
    finally:
        stop_server(process)


def install(what: list[str], venv: Path) -> Path:
    """Install it into an environment of its own that borrows the dependencies of this one."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True, timeout=60)
    python = venv / "bin" / "python"
    packages = Path(run(python, "import sysconfig; print(sysconfig.get_path('purelib'))"))
    # a folder named in a .pth file is searched, but its own .pth files (our editable install) are not read
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-deps", "--no-index"]
    subprocess.run([*command, "--ignore-installed", "--no-build-isolation", *what], check=True, timeout=60)
    return python


def run(python: Path, code: str) -> str:
    done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, cwd=python.parent, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def get(url: str, process: subprocess.Popen) -> str:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError:
            raise
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
