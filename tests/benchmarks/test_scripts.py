"""The benchmarks run, here on a small table of scores, and leave nothing behind."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.require import require

SCRIPTS = Path(__file__).parents[2] / "benchmarks"
HEADER = "model\tmodel_revision\ttask\tdataset_revision\tsplit\tsubset\tmain_score\tmteb_version"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three models, two benchmarks of several tasks, a score that is none, and a name that no repo may have."""
    rows = [
        f"{model}\tr1\t{task}\td1\ttest\t{subset}\t0.{number}{place}\t1.0"
        for number, model in enumerate(("ada/a", "ada/b", "bob/c_(dim=2)"), start=1)
        for place, (task, subset) in enumerate((("Cap", "default"), ("Cap", "c++"), ("Sum", "default")), start=1)
    ]
    path = tmp_path_factory.mktemp("table") / "scores.tsv.gz"
    lines = [HEADER, *rows, "ada/a\tr1\tSum\td1\tdev\tdefault\tnan\t1.0"]
    path.write_bytes(gzip.compress("\n".join(lines).encode() + b"\n"))
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "options", "told"),
    [
        ("hub.py", [], "2 benchmarks with 3 tasks, 3 models, 9 results"),
        ("index.py", ["--quick"], "sync of a model with 2 result files"),
        ("exports.py", ["--quick"], "jsonl: 0.0 MB in"),
        ("push.py", ["--pushes", "2"], "2 of 2 pushes"),
        ("reindex.py", ["--times", "1"], "9 results"),
        ("serve.py", ["--quick", "--requests", "2", "--only", "API: top 100 of the"], "memory after these"),
    ],
)
def test_a_benchmark_reports_and_cleans_up(table: Path, tmp_path: Path, script: str, options: list[str], told: str):
    require("git")
    _reports([sys.executable, str(SCRIPTS / script), str(table), *options], told, tmp_path)


@pytest.mark.slow
def test_the_benchmark_of_clients_reports_and_cleans_up(tmp_path: Path):
    require("nginx")
    told = "download, stock, Xet, xorbs from the hub / download, stock, Xet, xorbs from nginx"
    _reports([sys.executable, str(SCRIPTS / "clients.py"), "--quick"], told, tmp_path)


def _reports(command: list[str], told: str, tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert told in done.stdout
    assert list(tmp_path.iterdir()) == []
