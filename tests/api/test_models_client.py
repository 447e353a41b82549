"""Models through the stock client: sizes from real weight files, what they build on, and every field there is."""

from __future__ import annotations

from typing import get_args

import httpx2
import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import BadRequestError, GatedRepoError, RemoteEntryNotFoundError
from huggingface_hub.hf_api import ExpandDatasetProperty_T, ExpandModelProperty_T

from tests.conftest import Live, Person
from tests.weights.files import gguf, safetensors

pytestmark = pytest.mark.slow
TENSORS = {"embed.weight": ("BF16", [1000, 600]), "norm.weight": ("F32", [64])}
CONFIG = '{"architectures": ["LlamaForCausalLM"], "model_type": "llama"}'
BASE = """\
---
license: mit
language: [en, de]
datasets: [some/data]
model-index:
- name: base
  results:
  - {task: {type: t}, dataset: {type: d, name: D}, metrics: [{type: m, value: 0.5}]}
---
# Base
"""
# What 0.36 asks for beyond today's.
FORMER = ("xetEnabled",)


@pytest.fixture(scope="module")
def ada(live: Live) -> Person:
    return live.person("ada")


@pytest.fixture(scope="module")
def api(live: Live, ada: Person) -> HfApi:
    return HfApi(live.url, token=ada.token)


@pytest.fixture(scope="module")
def family(api: HfApi, ada: Person) -> dict[str, str]:
    """A base model, a fine-tune, an adapter and a quantization of it."""
    ids = {name: f"{ada.name}/{name}" for name in ("base", "tuned", "adapter", "quantized", "sharded")}
    child = f"---\nbase_model: {ids['base']}\n---\n# Child\n"
    small = safetensors({"a": ("F32", [10])})
    files: dict[str, dict[str, bytes]] = {
        "base": {"README.md": BASE.encode(), "config.json": CONFIG.encode(),
                 "model.safetensors": safetensors(TENSORS, format="pt")},
        "tuned": {"README.md": child.encode(), "model.safetensors": small},
        "adapter": {"README.md": child.encode(), "adapter_config.json": b'{"peft_type": "LORA"}',
                    "adapter_model.safetensors": small},
        "quantized": {"README.md": child.encode(), "q4.gguf": gguf([[500, 1200], [64]])},
        "sharded": {"model-00001-of-00002.safetensors": safetensors({"t1": ("F32", [1000])}),
                    "model-00002-of-00002.safetensors": safetensors({"t2": ("F32", [2000])}),
                    "model.safetensors.index.json": b'{"metadata": {"total_size": 12000}, "weight_map": {'
                    b'"t1": "model-00001-of-00002.safetensors", "t2": "model-00002-of-00002.safetensors"}}'},
    }  # fmt: skip
    for name, id in ids.items():
        api.create_repo(id)
        operations = [CommitOperationAdd(path, data) for path, data in files[name].items()]
        api.create_commit(id, operations, commit_message="Add")
    return ids


def test_sizes_come_from_the_headers_and_agree_with_the_client(api: HfApi, family: dict[str, str]):
    for name in ("base", "sharded"):
        told = api.model_info(family[name], expand=["safetensors"]).safetensors
        metadata = api.get_safetensors_metadata(family[name])
        assert told.parameters == metadata.parameter_count
        assert told.total == sum(metadata.parameter_count.values())
    info = api.model_info(family["base"])
    assert info.safetensors.parameters == {"BF16": 600_000, "F32": 64}
    assert (info.library_name, info.pipeline_tag) == ("transformers", "text-generation")
    assert info.config == {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}
    assert info.transformers_info.auto_model == "AutoModelForCausalLM"
    assert info.used_storage > 1000
    quantized = api.model_info(family["quantized"])
    assert quantized.gguf == {"architecture": "llama", "context_length": 4096, "total": 600_064}
    assert quantized.safetensors is None
    assert api.model_info(family["adapter"]).safetensors is None


def test_headers_of_shards_come_in_one_answer(api: HfApi, ada: Person, family: dict[str, str]):
    told = api.get_sharded_safetensors_metadata(family["sharded"])
    assert told == api.get_safetensors_metadata(family["sharded"])
    assert told.parameter_count == {"F32": 3000}
    odd = f"{ada.name}/odd"
    api.create_repo(odd)
    listing = b'{"metadata": {"n": 99999999999999999999}, "weight_map": {"a": "%s.safetensors"}}'
    files = {
        "sub/a.index.json": listing % b"a", "sub/a.safetensors": safetensors({"a": ("U8", [3])}),
        "b.index.json": listing % b"b", "b.safetensors": b"\xff" * 9, "c.index.json": listing % b"c",
        "d.index.json": b"{", "e.index.json": b'{"weight_map": {}}',
    }  # fmt: skip
    api.create_commit(odd, [CommitOperationAdd(path, data) for path, data in files.items()], commit_message="Add")
    within = api.get_sharded_safetensors_metadata(odd, filename="sub/a.index.json")
    assert within.parameter_count == {"U8": 3}
    for name, words in (("b", "header is said"), ("d", "no JSON"), ("e", "names 0")):
        with pytest.raises(BadRequestError, match=words):
            api.get_sharded_safetensors_metadata(odd, filename=f"{name}.index.json")
    for name in ("c", "never"):
        with pytest.raises(RemoteEntryNotFoundError):
            api.get_sharded_safetensors_metadata(odd, filename=f"{name}.index.json")
    api.update_repo_settings(odd, gated="manual")
    with pytest.raises(GatedRepoError):
        api.get_sharded_safetensors_metadata(odd, filename="sub/a.index.json", token=False)


def test_a_leaderboard_is_narrowed_by_the_sizes_that_headers_tell(api: HfApi, ada: Person, family: dict[str, str]):
    quiz = f"{ada.name}/quiz"
    api.create_repo(quiz, repo_type="dataset")
    task = b"name: Quiz\ndescription: Ask.\nevaluation_framework: custom\ntasks: [{id: easy}]\n"
    api.upload_file(path_or_fileobj=task, path_in_repo="eval.yaml", repo_id=quiz, repo_type="dataset")
    for name, value in (("base", 1), ("sharded", 2), ("quantized", 3)):
        score = f"- dataset: {{id: {quiz}, task_id: easy}}\n  value: {value}\n".encode()
        api.upload_file(path_or_fileobj=score, path_in_repo=".eval_results/a.yaml", repo_id=family[name])
    sizes = {"base": 600_064, "sharded": 3000, "quantized": 600_064}
    for asked, found in (
        ("", ["quantized", "sharded", "base"]),
        ("max:1M", ["quantized", "sharded", "base"]),
        ("min:10K", ["quantized", "base"]),
        ("max:3K", ["sharded"]),
        ("min:1B", []),
    ):
        board = f"{api.endpoint}/api/datasets/{quiz}/leaderboard"
        rows = httpx2.get(f"{board}?base_model=false&num_parameters={asked}").json()
        assert [(row["rank"], row["modelId"].split("/")[1]) for row in rows] == list(enumerate(found, 1)), asked
        assert all(row["parameters"] == sizes[row["modelId"].split("/")[1]] for row in rows)
        page = httpx2.get(f"{board.replace('/api', '')}?base_model=all&num_parameters={asked}")
        assert [name for name in sizes if f'href="/{family[name]}"' in page.text] == [n for n in sizes if n in found]


def test_a_file_that_xet_brought_is_counted_too(api: HfApi, ada: Person, tmp_path):
    id = f"{ada.name}/by-xet"
    (tmp_path / "model.safetensors").write_bytes(safetensors({"a": ("F32", [3_000_000])}))
    api.create_repo(id)
    api.upload_folder(repo_id=id, folder_path=tmp_path)
    assert api.model_info(id).safetensors.total == 3_000_000
    assert api.get_safetensors_metadata(id).parameter_count == {"F32": 3_000_000}


def test_lists_are_filtered_by_size_and_by_what_cards_say(api: HfApi, ada: Person, family: dict[str, str]):
    def listed(**query: object) -> set[str]:
        return {model.id.split("/")[1] for model in api.list_models(author=ada.name, **query)}

    assert listed(num_parameters="min:100K,max:1M") == {"base", "quantized"}
    assert listed(num_parameters="max:100K") == {"tuned", "sharded"}
    assert listed(num_parameters="min:1T") == set()
    with pytest.raises(BadRequestError, match="min:1B,max:7B"):
        listed(num_parameters="big")
    base = family["base"]
    assert listed(filter=f"base_model:{base}") == {"tuned", "adapter", "quantized"}
    for relation, name in (("finetune", "tuned"), ("adapter", "adapter"), ("quantized", "quantized")):
        assert listed(filter=f"base_model:{relation}:{base}") == {name}
    for query in (
        {"filter": "license:mit"},
        {"filter": "language:en"},
        {"filter": ["de", "transformers"]},
        {"trained_dataset": "some/data"},
        {"pipeline_tag": "text-generation"},
        {"filter": "llama"},
    ):
        assert listed(**query) == {"base"}, query
    assert "peft" in next(iter(api.list_models(author=ada.name, filter="peft"))).tags
    told = {model.id: model.config for model in api.list_models(author=ada.name, fetch_config=True)}
    assert told[base]["model_type"] == "llama"


def test_what_builds_on_what(api: HfApi, family: dict[str, str]):
    base = api.model_info(family["base"], expand=["childrenModelCount", "baseModels"])
    assert base.children_model_count == {"adapter": 1, "finetune": 1, "merge": 0, "quantized": 1}
    assert base.base_models is None
    child = api.model_info(family["quantized"], expand=["baseModels"])
    assert child.base_models["relation"] == "quantized"
    assert [found["id"] for found in child.base_models["models"]] == [family["base"]]


@pytest.mark.parametrize("way", ["info", "list"])
def test_every_field_may_be_asked_for_by_itself(live: Live, ada: Person, family: dict[str, str], way: str):
    http = httpx2.Client(base_url=live.url, headers={"Authorization": f"Bearer {ada.token}"}, timeout=60)
    with http:
        for field in (*get_args(ExpandModelProperty_T), *FORMER):
            path = f"/api/models/{family['base']}" if way == "info" else "/api/models"
            answer = http.get(path, params={"expand": field, "author": ada.name})
            assert answer.status_code == 200, (field, answer.text)
            found = answer.json() if way == "info" else answer.json()[0]
            assert field in found
        for field in (*get_args(ExpandDatasetProperty_T), *FORMER):
            answer = http.get("/api/datasets", params={"expand": field, "limit": 1})
            assert answer.status_code == 200, (field, answer.text)


def test_model_index_is_told_as_written_and_breaks_nobody(api: HfApi, ada: Person, family: dict[str, str]):
    info = api.model_info(family["base"])
    assert info.model_index == [{
        "name": "base", "results": [{"task": {"type": "t"}, "dataset": {"type": "d", "name": "D"},
                                     "metrics": [{"type": "m", "value": 0.5}]}]}]  # fmt: skip
    assert info.card_data.eval_results[0].metric_value == 0.5
    assert info.eval_results is None
    id = f"{ada.name}/hostile"
    hostile = (
        "---\nself: 1\nlicense: mit\ntags: 5\nmodel-index: [{name: x, results: [{task: {type: t}, source: y}]}]\n---\n"
    )
    api.create_repo(id)
    with pytest.warns(UserWarning, match="README.md:5:.*needs dataset.type"):
        api.create_commit(id, [CommitOperationAdd("README.md", hostile.encode())], commit_message="Add")
    assert api.model_info(id).card_data.license == "mit"
    assert id in {model.id for model in api.list_models(author=ada.name, full=True, cardData=True)}
