"""The scores in sample_repos are the published ones, digit for digit."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from pathlib import Path

import yaml

from glasshub.evals.eval_results import parse_result_file
from glasshub.evals.eval_yaml import parse_eval_yaml

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "sample_repos"
# sha256 over "model, task, value, model_revision, dataset_revision, mteb_version" of all rows in the published table
PUBLISHED = "a328fe768624b3c0da05b916a5f409f6fe92e4ba8d16a95f9efd067fd9ae5df3"

HEADER = "model\tmodel_revision\ttask\tdataset_revision\tsplit\tsubset\tmain_score\tmteb_version"


def result_files() -> list[Path]:
    return sorted((SAMPLES / "models").glob("*/*/.eval_results/mteb.yaml"))


def proposed_files() -> list[Path]:
    """The result files of pull requests that hold published scores."""
    return sorted((SAMPLES / "pulls").glob("*-published-*/.eval_results/*.yaml"))


def model_of(path: Path) -> str:
    if path in proposed_files():
        return yaml.safe_load((path.parents[1] / "pull.yaml").read_text())["repo"]
    return path.parents[1].relative_to(SAMPLES / "models").as_posix()


def scores() -> list[tuple[str, ...]]:
    rows = []
    for path in [*result_files(), *proposed_files()]:
        model = model_of(path)
        parsed = parse_result_file(path.read_bytes(), ".eval_results/mteb.yaml")
        assert parsed.problems == (), path
        for entry in parsed.entries:
            revisions = [
                str(entry.extra.get(key, "")) for key in ("model_revision", "dataset_revision", "mteb_version")
            ]
            rows.append((model, entry.task_id, entry.value_text, *revisions))
            assert entry.source is not None
            assert entry.source.url == "https://github.com/embeddings-benchmark/results"
            assert entry.dataset_revision == "", "the upstream revision is not a commit of our pointer repo"
    return sorted(rows)


def digest(rows: list[tuple[str, ...]]) -> str:
    return hashlib.sha256("\n".join("\t".join(row) for row in rows).encode()).hexdigest()


def test_values_are_the_published_ones():
    rows = scores()
    assert len(rows) == 109
    assert digest(rows) == PUBLISHED


def test_the_tool_makes_exactly_these_files(tmp_path):
    """From the published table where GLASSHUB_MTEB_TSV names it, else from the rows that the digest vouches for."""
    table = Path(os.environ.get("GLASSHUB_MTEB_TSV") or write_table(tmp_path / "table.tsv", scores()))
    load_tool().make(table, tmp_path / "out")
    made = {path.relative_to(tmp_path / "out"): path for path in (tmp_path / "out").rglob("*") if path.is_file()}
    folders = len(result_files()) + len(list((SAMPLES / "datasets" / "mteb").iterdir()))
    assert len(made) == 2 * folders + len(proposed_files())
    for path, file in made.items():
        assert (SAMPLES / path).read_bytes() == file.read_bytes(), path


def write_table(path: Path, rows: list[tuple[str, ...]]) -> Path:
    lines = [HEADER]
    for model, task, value, model_revision, dataset_revision, version in rows:
        lines.append("\t".join((model, model_revision, task, dataset_revision, "test", "default", value, version)))
    path.write_text("\n".join(lines) + "\n")
    return path


def load_tool():
    spec = importlib.util.spec_from_file_location("make_samples", ROOT / "tools" / "make_samples.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_a_small_table_comes_out_as_it_went_in(tmp_path):
    row = ("thenlper/gte-base", "SciFact", "0.70000000000000007", "external", "None", "")
    table = write_table(tmp_path / "table.tsv", [row])
    table.write_text(table.read_text() + "thenlper/gte-base\texternal\tSciFact\tNone\ttrain\tdefault\t0.9\t\n")
    load_tool().make(table, tmp_path / "out")
    text = (tmp_path / "out/models/thenlper/gte-base/.eval_results/mteb.yaml").read_text()
    (entry,) = parse_result_file(text.encode(), ".eval_results/mteb.yaml").entries
    assert entry.value_text == "0.70000000000000007"
    assert entry.extra == {"model_revision": "external"}


def test_every_score_belongs_to_a_sample_benchmark():
    tasks = set()
    for path in (SAMPLES / "datasets").glob("*/*/eval.yaml"):
        parsed = parse_eval_yaml(path.read_bytes())
        assert parsed.problems == (), path
        assert parsed.spec is not None
        tasks |= {task.id for task in parsed.spec.tasks}
    assert {row[1] for row in scores()} <= tasks


def test_there_is_enough_to_look_at():
    assert len(list((SAMPLES / "datasets").glob("mteb/*/eval.yaml"))) >= 6
    assert len(result_files()) >= 10


def test_cards_say_what_they_are():
    for path in result_files():
        card = (path.parents[1] / "README.md").read_text()
        assert "record of published scores" in card
        assert "holds no weights" in card
    for path in (SAMPLES / "datasets").glob("mteb/*/README.md"):
        assert "holds no data" in path.read_text()
