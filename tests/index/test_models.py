"""What models are, as the index keeps it: counted once, filtered by, equal when rebuilt."""

from __future__ import annotations

import hashlib
import io
import json

import pytest

from glasshub import large_files, model_files, observe, snapshot
from glasshub.blobs.pointer import Pointer
from glasshub.index import queries
from glasshub.index.queries import model_facts
from glasshub.weights.sizes import parse_range
from tests.index.town import EVERYONE, Town, eval_yaml, result
from tests.weights.files import gguf, packed, safetensors

pytestmark = pytest.mark.slow

SMALL = safetensors({"a": ("F32", [10, 10]), "b": ("BF16", [50])})
LARGE = safetensors({"a": ("F32", [40, 40])})


def _facts(town: Town, model):
    return model_facts(town.hub.index.read(), model.key)


def _assert_equal_to_rebuilt(town: Town) -> None:
    model_files._remembered.clear()  # as in another process
    town.assert_equal_to_rebuilt()


def _listed(town: Town, text: str, see=EVERYONE) -> set[str]:
    page = queries.repos(town.hub.index.read(), see, type="model", size=parse_range(text))
    assert page.total == len(page.items)
    return {row.repo_id for row in page.items}


def _bring(town: Town, model, data: bytes) -> bytes:
    """Bring a large file to a repo; its pointer."""
    pointer = Pointer(hashlib.sha256(data).hexdigest(), len(data))
    large_files.receive(town.hub, model, "ada", pointer, io.BytesIO(data))
    return pointer.text()


def test_parameters_are_counted_from_git_and_from_large_files(town: Town):
    model = town.model("lab/m")
    town.push(model, {"model.safetensors": SMALL})
    assert dict(_facts(town, model).parameters) == {"BF16": 50, "F32": 100}
    assert _facts(town, model).total == 150
    town.push(model, {"model.safetensors": _bring(town, model, LARGE)})
    assert dict(_facts(town, model).parameters) == {"F32": 1600}
    _assert_equal_to_rebuilt(town)
    town.push(model, {"model.safetensors": None})
    assert _facts(town, model).total is None
    _assert_equal_to_rebuilt(town)


def test_a_hundred_shards_are_each_read_once(town: Town, monkeypatch):
    model = town.model("lab/m")
    names = [f"model-{number:05}-of-00100.safetensors" for number in range(1, 101)]
    parts = {name: safetensors({name: ("F32", [number + 1])}) for number, name in enumerate(names)}
    index = {"metadata": {}, "weight_map": {name: name for name in names}}
    read = []
    count = model_files.safetensors.count_parameters
    monkeypatch.setattr(
        model_files.safetensors, "count_parameters", lambda pieces, size: read.append(size) or count(pieces, size)
    )
    town.push(model, {**parts, "model.safetensors.index.json": json.dumps(index)})
    assert (_facts(town, model).total, len(read)) == (5050, 100)
    model_files._remembered.clear()  # as in another process
    town.push(model, {"README.md": "# M"})
    assert len(read) == 100
    town.push(model, {names[0]: safetensors({"x": ("F32", [101])})})
    assert (_facts(town, model).total, len(read)) == (5150, 101)
    _assert_equal_to_rebuilt(town)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"model.safetensors": b"not one"}, "ends in the middle"),
        ({"model.safetensors": packed({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}, 4)}, "malformed"),
        ({"model.safetensors.index.json": '{"weight_map": {"a": "b.safetensors"}}'}, "names b.safetensors"),
        ({"model.safetensors.index.json": "x"}, "names no files"),
        ({"m.gguf": b"GGUF"}, "ends in the middle"),
    ],
)
def test_what_cannot_be_counted_is_a_problem_of_the_file(town: Town, files, words: str):
    model = town.model("lab/m")
    town.push(model, files)
    (problem,) = queries.problems(town.hub.index.read(), model.key)
    assert (problem.path, problem.severity) == (next(iter(files)), "warning")
    assert words in problem.message
    assert _facts(town, model).total is None
    _assert_equal_to_rebuilt(town)


def test_a_file_that_was_lost_is_told_and_counted_when_it_is_back(town: Town):
    model = town.model("lab/m")
    pointer = _bring(town, model, SMALL)
    stored = next((town.hub.settings.data / "blobs").rglob("files/*/*/*"))
    content = stored.read_bytes()
    town.push(model, {"model.safetensors": pointer})
    stored.unlink()
    model_files._remembered.clear()
    town.push(model, {"other.txt": "x"})
    assert _facts(town, model).total == 150, "it was read before"
    key = model.key
    known, observed = snapshot.Known(), observe.one(town.hub, model.key)
    model_files._remembered.clear()
    taken = snapshot.take(key, observed, known, lambda pointer: large_files.stream(town.hub, model, pointer))
    assert "does not have the content" in taken.problems[0].message
    stored.write_bytes(content)
    taken = snapshot.take(key, observed, known, lambda pointer: large_files.stream(town.hub, model, pointer))
    assert (taken.problems, taken.files.facts.total) == ((), 150)


def test_one_content_under_two_names_is_read_as_each_name_says(town: Town):
    model = town.model("lab/m")
    town.push(model, {"model.safetensors": SMALL})
    town.push(model, {"m.gguf": SMALL})
    assert "begin as a GGUF" in queries.problems(town.hub.index.read(), model.key)[0].message
    town.push(model, {"model.safetensors": None})
    assert _facts(town, model).total is None
    _assert_equal_to_rebuilt(town)


def test_files_say_what_the_card_leaves_out(town: Town):
    config = json.dumps({"architectures": ["BertForMaskedLM"], "model_type": "bert"})
    model = town.model("lab/m", card="---\nbase_model: lab/base\n---\n")
    town.push(model, {"config.json": config, "model.safetensors": SMALL})
    row = queries.repo(town.hub.index.read(), model.key)
    assert (row.library_name, row.pipeline_tag, row.parameters) == ("transformers", "fill-mask", 150)
    assert {"transformers", "fill-mask", "bert", "safetensors", "base_model:finetune:lab/base"} <= set(row.tags)
    town.push(model, {"README.md": "---\nlibrary_name: own\npipeline_tag: other\n---\n"})
    row = queries.repo(town.hub.index.read(), model.key)
    assert (row.library_name, row.pipeline_tag) == ("own", "other")
    assert not any(tag.startswith("base_model") for tag in row.tags)
    _assert_equal_to_rebuilt(town)


def test_gguf_tells_what_safetensors_do_not(town: Town):
    model = town.model("lab/m")
    town.push(model, {"m-Q4.gguf": gguf([[100, 20]]), "m-Q8.gguf": b"another quantization, not read"})
    facts = _facts(town, model)
    assert facts.gguf == {"architecture": "llama", "context_length": 4096, "total": 2000}
    assert (facts.total, facts.parameters) == (2000, {})
    town.push(model, {"model.safetensors": SMALL})
    assert _facts(town, model).total == 150
    _assert_equal_to_rebuilt(town)


def test_lists_and_boards_are_filtered_by_size_and_ranked_among_what_is_left(town: Town):
    board = town.dataset("lab/b", eval_yaml("t"))
    for name, data, value in (("small", SMALL, 1), ("large", LARGE, 3), ("unknown", None, 2), ("other", SMALL, 1)):
        model = town.model(f"lab/{name}", result("lab/b", "t", value))
        if data:
            town.push(model, {"model.safetensors": data})
    hidden = town.model("bob/hidden", result("lab/b", "t", 9), private=True)
    town.push(hidden, {"model.safetensors": SMALL})
    assert _listed(town, "max:150") == {"lab/small", "lab/other"}
    assert _listed(town, "min:151") == {"lab/large"}
    assert _listed(town, "min:1") == {"lab/small", "lab/other", "lab/large"}
    assert _listed(town, "max:1K", town.see("bob")) == {"lab/small", "lab/other", "bob/hidden"}
    small = parse_range("max:1K")
    assert town.standing(board, "t", size=small) == [(1, "lab/other", 1), (1, "lab/small", 1)]
    assert town.standing(board, "t", town.see("bob"), size=small)[0] == (1, "bob/hidden", 9)
    assert [row.parameters for row in town.board(board, "t")] == [1600, None, 150, 150]
    page = queries.leaderboard(town.hub.index.read(), EVERYONE, board.key, "t", size=small, limit=1)
    assert (page.total, page.items[0].result.of) == (2, 2)
    following = queries.leaderboard(
        town.hub.index.read(), EVERYONE, board.key, "t", size=small, limit=1, cursor=page.cursor
    )
    assert [(row.rank, row.result.model_id) for row in following.items] == [(1, "lab/small")]
    assert following.cursor is None


def test_children_are_counted_by_relation_and_only_those_that_one_may_see(town: Town):
    town.model("lab/base")
    town.model("lab/tuned", card="---\nbase_model: lab/base\n---\n")
    quantized = town.model("lab/quantized", card="---\nbase_model: lab/base\n---\n")
    town.push(quantized, {"m.gguf": gguf([[2]])})
    town.model("bob/secret", card="---\nbase_model: lab/base\n---\n", private=True)
    db = town.hub.index.read()
    assert queries.children(db, EVERYONE, "lab/base") == {"finetune": 1, "quantized": 1}
    assert queries.children(db, town.see("bob"), "lab/base") == {"finetune": 2, "quantized": 1}
    assert queries.children(db, EVERYONE, "lab/tuned") == {}
