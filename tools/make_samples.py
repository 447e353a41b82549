"""Write the MTEB part of ``sample_repos/`` from a table of published scores.

The table is tab-separated (gzip allowed) with the columns ``model``, ``model_revision``, ``task``,
``dataset_revision``, ``split``, ``subset``, ``main_score`` and ``mteb_version``, made from the results that the
MTEB project publishes. Values are copied as text, never parsed into a float, so that each one stays as published.
The same table always gives the same files.

    python tools/make_samples.py mteb-scores.tsv.gz [sample_repos]
"""

from __future__ import annotations

import csv
import gzip
import io
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SOURCE_URL = "https://github.com/embeddings-benchmark/results"
SOURCE_NAME = "MTEB results"
UNKNOWN = ("", "None")


@dataclass(frozen=True)
class Task:
    """One MTEB task; ``low`` is the least value its main score can have, ``measure`` what the main score is."""

    id: str
    measure: str
    low: int = 0


@dataclass(frozen=True)
class Benchmark:
    """One dataset of the ``mteb`` namespace, with what its card says."""

    name: str
    title: str
    about: str
    reference: str
    revision: str
    tasks: tuple[Task, ...]

    @property
    def repo_id(self) -> str:
        """The id of the repo, here and upstream."""
        return f"mteb/{self.name}"


NDCG = "nDCG@10, the quality of the ten first documents found"
BENCHMARKS = (
    Benchmark(
        "banking77",
        "Banking77",
        "Short questions of customers to an online bank. From an embedding of each question, a simple classifier has "
        "to tell which of 77 intents it has.",
        "https://arxiv.org/abs/2003.04807",
        "0fd18e25b25c072e09e0d92ab615fda904d66300",
        (Task("Banking77Classification", "accuracy, the share of questions given the right intent"),),
    ),
    Benchmark(
        "stsbenchmark-sts",
        "STS Benchmark",
        "Pairs of sentences that people have rated by how alike their meanings are. The cosine similarity of two "
        "embeddings should put the pairs in the same order as people do.",
        "https://github.com/PhilipMay/stsb-multi-mt/",
        "b0fddb56ed78048fa8b90373c8a3cfc37b684831",
        (Task("STSBenchmark", "Spearman's rank correlation of cosine similarity with the ratings", low=-1),),
    ),
    Benchmark(
        "scifact",
        "SciFact",
        "Scientific claims, for each of which the abstracts that support or refute it have to be found.",
        "https://github.com/allenai/scifact",
        "0228b52cf27578f30900b9e5271d331663a030d7",
        (Task("SciFact", NDCG),),
    ),
    Benchmark(
        "nfcorpus",
        "NFCorpus",
        "Questions about nutrition and health in plain words, for which medical documents have to be found.",
        "https://www.cl.uni-heidelberg.de/statnlpgroup/nfcorpus/",
        "ec0fa4fe99da2ff19ca1214b7966684033a58814",
        (Task("NFCorpus", NDCG),),
    ),
    Benchmark(
        "arguana",
        "ArguAna",
        "Arguments, for each of which the best counter-argument has to be found among others on the same theme.",
        "http://argumentation.bplaced.net/arguana/data",
        "c22ab2a51041ffd869aaddef7af8d8215647e41a",
        (Task("ArguAna", NDCG),),
    ),
    Benchmark(
        "twentynewsgroups-clustering",
        "Twenty Newsgroups",
        "Subject lines of messages from twenty newsgroups. Clusters of their embeddings should be the newsgroups. "
        "The second task is MTEB's later, faster version of the first; their scores are not comparable.",
        "https://scikit-learn.org/0.19/datasets/twenty_newsgroups.html",
        "6125ec4e24fa026cec8a478383ee943acfbd5449",
        (
            Task("TwentyNewsgroupsClustering", "V-measure, the agreement of clusters and newsgroups"),
            Task("TwentyNewsgroupsClustering.v2", "V-measure, the agreement of clusters and newsgroups"),
        ),
    ),
    Benchmark(
        "sprintduplicatequestions-pairclassification",
        "Sprint duplicate questions",
        "Pairs of questions from the forum of a telephone company. The similarity of two embeddings should tell "
        "duplicates from the rest.",
        "https://www.aclweb.org/anthology/D18-1131/",
        "d66bd1f72af766a5cc4b0ca5e00c162f89e8cc46",
        (Task("SprintDuplicateQuestions", "average precision, by the best of several similarity functions"),),
    ),
)
MODELS = (
    "BAAI/bge-large-en-v1.5",
    "BAAI/bge-small-en-v1.5",
    "Qwen/Qwen3-Embedding-0.6B",
    "Snowflake/snowflake-arctic-embed-m-v2.0",
    "google/embeddinggemma-300m",
    "ibm-granite/granite-embedding-125m-english",
    "intfloat/multilingual-e5-large-instruct",
    "jinaai/jina-embeddings-v3",
    "minishlab/potion-base-8M",
    "mixedbread-ai/mxbai-embed-large-v1",
    "nomic-ai/nomic-embed-text-v1.5",
    "sentence-transformers/all-MiniLM-L6-v2",
    "sentence-transformers/all-mpnet-base-v2",
    "thenlper/gte-base",
)
BENCHMARK_OF = {task.id: benchmark for benchmark in BENCHMARKS for task in benchmark.tasks}
ORDER = tuple(BENCHMARK_OF)


@dataclass(frozen=True)
class Score:
    """One row of the table, as text."""

    model: str
    model_revision: str
    task: str
    dataset_revision: str
    value: str
    mteb_version: str


def read_scores(table: Path) -> Iterator[Score]:
    """The rows of our models and tasks: the ``test`` split, the ``default`` subset."""
    text = gzip.decompress(table.read_bytes()) if table.suffix == ".gz" else table.read_bytes()
    for row in csv.DictReader(io.StringIO(text.decode("utf-8")), delimiter="\t", quoting=csv.QUOTE_NONE):
        wanted = row["task"] in BENCHMARK_OF and row["model"] in MODELS
        if wanted and (row["split"], row["subset"]) == ("test", "default"):
            yield Score(
                row["model"],
                row["model_revision"],
                row["task"],
                row["dataset_revision"],
                row["main_score"],
                row["mteb_version"],
            )


def eval_yaml(benchmark: Benchmark) -> str:
    """The ``eval.yaml`` of a benchmark."""
    lines = [
        f"name: {benchmark.title}",
        f"description: {benchmark.about}",
        "evaluation_framework: mteb",
        "tasks:",
    ]
    for task in benchmark.tasks:
        lines += [f"  - id: {task.id}", "    config: default", "    split: test"]
    lines.append("metrics:")
    for task in benchmark.tasks:
        lines += [
            f"  {task.id}:",
            "    name: main_score",
            "    higher_is_better: true",
            f"    range: [{task.low}, 1]",
        ]
    return "\n".join(lines) + "\n"


def dataset_card(benchmark: Benchmark) -> str:
    """The card of a benchmark."""
    names = _listing([task.id for task in benchmark.tasks])
    plural = "s" if len(benchmark.tasks) > 1 else ""
    measures = "\n".join(
        f"| `{task.id}` | `test` | {task.measure} | {task.low} to 1, higher is better |" for task in benchmark.tasks
    )
    return f"""---
pretty_name: {benchmark.title}
language:
  - en
tags:
  - mteb
  - sentence-embeddings
---

# {benchmark.title}

{benchmark.about}

This repo is a **pointer**: it gives the MTEB task{plural} {names}
a place on this hub, so that the scores of models have a leaderboard. It holds no data.

| Task | Split | Main score | Range |
| --- | --- | --- | --- |
{measures}

- Data: [{benchmark.repo_id}](https://huggingface.co/datasets/{benchmark.repo_id}) at revision `{benchmark.revision}`.
- Language: English.
- Licence of the data: see upstream.
- Reference: <{benchmark.reference}>

## Reproduce a score

Install [mteb](https://github.com/embeddings-benchmark/mteb), the framework named in `eval.yaml`, and run

```
mteb run -m <model> -t {benchmark.tasks[0].id}
```

Then put the `main_score` that it writes for the split `test` into `.eval_results/mteb.yaml` of the model's repo.
"""


def model_card(model: str, scores: list[Score]) -> str:
    """The card of a model, which is a record of scores."""
    name = model.split("/")[1]
    missing = [task for task in ORDER if task not in {score.task for score in scores}]
    gap = ""
    if missing:
        gap = f"\nThe table has no score of this model for {_listing(missing)}; none is given here.\n"
    return f"""---
tags:
  - mteb
  - sentence-embeddings
---

# {name}

This repo is a **record of published scores** of [{model}](https://huggingface.co/{model}).
It holds no weights; for those, for how to use the model and for its licence, see upstream.

The scores in `.eval_results/mteb.yaml` come from
the [results that the MTEB project publishes]({SOURCE_URL}) (CC0). Each is the main score of a task on \
its `test` split, digit for digit as published, with the revisions
of model and data and the version of `mteb` that were recorded with it. Where the record lacks one of them, it is left
out; `external` as the revision of a model is the record's own word.
{gap}"""


def _listing(tasks: list[str]) -> str:
    *first, last = [f"`{task}`" for task in tasks]
    return f"{', '.join(first)} and {last}" if first else last


def result_file(scores: list[Score]) -> str:
    """The ``.eval_results/mteb.yaml`` of a model.

    The revision of the data is not a commit of our pointer repo, so it stands in ``extra``, not in ``dataset``.
    """
    lines = []
    for score in scores:
        lines += [
            "- dataset:",
            f"    id: {BENCHMARK_OF[score.task].repo_id}",
            f"    task_id: {score.task}",
            f"  value: {score.value}",
            "  source:",
            f"    url: {SOURCE_URL}",
            f"    name: {SOURCE_NAME}",
        ]
        extra = {
            "model_revision": score.model_revision,
            "dataset_revision": score.dataset_revision,
            "mteb_version": score.mteb_version,
        }
        known = {key: value for key, value in extra.items() if value not in UNKNOWN}
        if known:
            lines += ["  extra:", *(f'    {key}: "{value}"' for key, value in known.items())]
    return "\n".join(lines) + "\n"


# Scores that come to the demo by pull request: (model, task) -> folder below ``pulls/`` (``pull.yaml`` is by hand).
PROPOSED = {
    ("Qwen/Qwen3-Embedding-0.6B", "SciFact"): "1-published-scifact",
    ("thenlper/gte-base", "ArguAna"): "2-published-arguana",
}


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def make(table: Path, out: Path) -> None:
    """Replace the MTEB benchmarks and the models below ``out``."""
    scores = list(read_scores(table))
    for benchmark in BENCHMARKS:
        folder = out / "datasets" / benchmark.repo_id
        shutil.rmtree(folder, ignore_errors=True)
        _write(folder / "README.md", dataset_card(benchmark))
        _write(folder / "eval.yaml", eval_yaml(benchmark))
    for model in MODELS:
        own = sorted(
            (score for score in scores if score.model == model),
            key=lambda score: (ORDER.index(score.task), score.model_revision, score.value),
        )
        folder = out / "models" / model
        shutil.rmtree(folder, ignore_errors=True)
        _write(folder / "README.md", model_card(model, own))
        _write(folder / ".eval_results" / "mteb.yaml", result_file([s for s in own if (model, s.task) not in PROPOSED]))
        for score in own:
            if (model, score.task) in PROPOSED:
                path = out / "pulls" / PROPOSED[model, score.task] / ".eval_results" / f"{score.task.lower()}.yaml"
                _write(path, result_file([score]))


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    make(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) == 3 else "sample_repos"))
