"""The benchmark with its own questions: well formed, and every answer that can be computed is right."""

from __future__ import annotations

import json
import statistics
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from glasshub.evals.eval_results import parse_result_file
from glasshub.evals.eval_yaml import parse_eval_yaml

FOLDER = Path(__file__).parents[2] / "sample_repos/datasets/glasshub/desk-questions"
BASELINE = Path(__file__).parents[2] / "sample_repos/models/mara/first-option/.eval_results/desk-questions.yaml"


def rows(config: str) -> list[dict]:
    return [json.loads(line) for line in (FOLDER / config / "test.jsonl").read_text("utf-8").splitlines()]


def weekday(day: date) -> str:
    return f"{day:%A}"


MONDAY = date(2024, 1, 1)
# the right answer of each row, worked out again; the tables are typed in anew
RIGHT = {
    "units-01": ["1.2 km", "1,150 m", "1,250,000 mm", "118,000 cm"][
        max(range(4), key=[1.2e3, 1150, 1.25e6 / 1e3, 118e3 / 1e2].__getitem__)
    ],
    "units-02": str(250 / 1000),
    "units-03": "4 kg",
    "units-04": f"{3 * 1000 / 25 / 60:.0f} minutes",
    "units-05": f"{20 * 9 / 5 + 32:.0f}",
    "units-06": f"{100 * 100:,}",
    "units-07": [
        "10 metres per second",
        "35 kilometres per hour",
        "550 metres per minute",
        "0.5 kilometres per minute",
    ][max(range(4), key=[10, 35 / 3.6, 550 / 60, 500 / 60].__getitem__)],
    "units-08": f"{3600 * 0.05:.0f} ml",
    "units-09": min("0.5", "0.505", "0.055", "0.05", key=float),
    "dates-01": f"{date(2023, 2, 28) + timedelta(1):%-d %B %Y}",
    "dates-02": "2000",
    "dates-03": weekday(MONDAY + timedelta(2) - timedelta(10)),
    "dates-04": f"{datetime(2024, 1, 1, 10, 40) + timedelta(minutes=95):%H:%M}",
    "dates-05": "7 hours 25 minutes",
    "dates-06": str((date(2023, 5, 3) - date(2023, 4, 15)).days),
    "dates-07": max("2024-11-09", "2024-12-01", "2024-09-30", "2024-02-29"),
    "dates-08": f"{12 - 2 - 5:02d}:00",
    "order-01": sorted(["pear", "apple", "plum", "apricot"])[2],
    "order-02": sorted(["10", "9", "2", "100"])[-1],
    "order-03": "Ben",
    "order-04": ", ".join(map(str, sorted([3, 0, -1, -5], reverse=True))),
    "order-05": str(statistics.median([7, 1, 9, 4, 4])),
    "order-06": min("note", "north", "noun", "noise"),
    "tables-01": max(
        {"Monday": 12 + 5 + 20, "Tuesday": 7 + 11 + 4, "Wednesday": 9 + 6 + 8}.items(), key=lambda x: x[1]
    )[0],
    "tables-02": max({"pens": 12 + 7 + 9, "pads": 5 + 11 + 6, "clips": 20 + 4 + 8}.items(), key=lambda x: x[1])[0],
    "tables-03": min((18, "Elm"), (30, "Ash"), (16, "Fir"))[1],
    "tables-04": "8:17",
    "units-21": f"{3.5 * 10:g}",
    "units-22": f"{2.5 * 60:g}",
    "units-23": f"{0.75 * 1000:g}",
    "units-24": f"{90 * 40 / 60:g}",
    "units-25": f"{24 * 0.5:g}",
    "units-26": f"{4 * 3.5:g}",
    "units-27": f"{60 * 60 / 4:g}",
    "units-28": f"{5000 / 1000:g}",
    "units-29": f"{60 / 5:g}",
    "dates-21": str((date(2025, 1, 1) - date(2024, 1, 1)).days),
    "dates-22": weekday(MONDAY + timedelta(100)),
    "dates-23": str(date(2024, 9, 1) - timedelta(1)),
    "dates-24": str(date(2025, 1, 15) + timedelta(30)),
    "dates-25": weekday(date(2024, 3, 1)),
    "dates-26": f"{datetime(2024, 1, 1, 21, 30) + timedelta(hours=3, minutes=45):%H:%M}",
    "dates-27": str(365 // 7),
    "dates-28": "29",
    "order-21": str(sorted([14, 3, 8, 27, 5])[2]),
    "order-22": "".join(sorted("stone")),
    "order-23": sorted(["0.3", "0.25", "0.305", "0.09"], key=float)[2],
    "order-24": str(4 + 1 + 7),
    "order-25": str(sum(n > 50 for n in (49, 51, 5.1, 150, 50, 500))),
    "order-26": "2",
    "tables-21": f"{statistics.mean([40, 55, 35, 70]):g}",
    "tables-22": max((3 * 20, "A"), (10 * 5, "B"), (2 * 35, "C"))[1],
    "tables-23": max((15 - 2, "Alba"), (28 - 14, "Brim"), (23 - 17, "Cove"), (18 + 4, "Dorn"))[1],
    "tables-24": str(sum(points >= 75 for points in (31 + 44, 38 + 35, 29 + 47))),
}


@pytest.mark.parametrize("config", ["choice", "short"])
def test_answers_are_right(config):
    for row in rows(config):
        answer = row["choices"]["ABCD".index(row["answer"])] if config == "choice" else row["answer"]
        assert answer == RIGHT[row["id"]], row["id"]


def test_rows_are_well_formed():
    choice, short = rows("choice"), rows("short")
    ids = [row["id"] for row in choice + short]
    assert len(ids) == len(set(ids)) == len(RIGHT)
    assert all(len(set(row["choices"])) == 4 for row in choice)
    assert all(row["id"].split("-")[0] == row["topic"] for row in choice + short)
    assert all(set(row) == {"id", "topic", "question", "answer"} for row in short)


def test_card_and_benchmark_name_the_same_files_and_columns():
    card = yaml.safe_load((FOLDER / "README.md").read_text("utf-8").split("---")[1])
    paths = {config["config_name"]: config["data_files"][0]["path"] for config in card["configs"]}
    parsed = parse_eval_yaml((FOLDER / "eval.yaml").read_bytes(), repo_id="glasshub/desk-questions")
    assert parsed.problems == ()
    assert parsed.spec is not None
    for task in parsed.spec.tasks:
        assert (FOLDER / paths[task.config]).is_file()
        columns = set(rows(task.config)[0])
        assert set(task.spec["field_spec"].values()) <= columns


def test_the_baseline_is_what_counting_gives():
    parsed = parse_result_file(BASELINE.read_bytes(), ".eval_results/desk-questions.yaml")
    values = {entry.task_id: entry.value for entry in parsed.entries}
    for config in ("choice", "short"):
        answers = [row["answer"] for row in rows(config)]
        right = answers.count("A") / len(answers)
        assert values[config] == right
        (entry,) = [entry for entry in parsed.entries if entry.task_id == config]
        assert entry.extra["stderr"] == pytest.approx((right * (1 - right) / (len(answers) - 1)) ** 0.5)
