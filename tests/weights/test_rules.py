"""Which files count, what follows from them, and how sizes are written."""

from __future__ import annotations

import json

import pytest

from glasshub.errors import Invalid
from glasshub.weights import conclusions
from glasshub.weights.config import read_config
from glasshub.weights.shards import gguf_files, safetensors_files, shards
from glasshub.weights.sizes import SizeRange, parse_range, short_count


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["model.safetensors", "model.safetensors.index.json", "other.safetensors"], ["model.safetensors"]),
        (["model.safetensors.index.json", "model-00001-of-00001.safetensors"], ["model.safetensors.index.json"]),
        (["only.safetensors", "adapter_model.safetensors"], ["only.safetensors"]),
        (["adapter_model.safetensors"], []),
        (["a.safetensors", "b.safetensors"], []),
        (["m-00002-of-00002.safetensors", "m-00001-of-00002.safetensors"],
         ["m-00001-of-00002.safetensors", "m-00002-of-00002.safetensors"]),
        (["m-00001-of-00002.safetensors"], []),
        (["README.md"], []),
    ],
)  # fmt: skip
def test_the_safetensors_files_that_are_the_model(names: list[str], found: list[str]):
    assert safetensors_files(names) == found


def test_the_gguf_file_that_stands_for_the_model():
    assert gguf_files(["m-Q8.gguf", "m-Q4.gguf", "mmproj-m.gguf"]) == ["m-Q4.gguf"]
    parts = ["m-Q4-00001-of-00002.gguf", "m-Q4-00002-of-00002.gguf"]
    assert gguf_files([*parts, "m-Q8.gguf"]) == parts
    assert gguf_files(parts[:1]) == []


def test_an_index_names_its_shards():
    text = json.dumps({"metadata": {"total_size": 1, "x": "y.safetensors.bak"}, "weight_map": {
        "a": "m-2.safetensors", "b": "m-1.safetensors", "c": "m-2.safetensors", "d": "../m.safetensors"}})  # fmt: skip
    assert shards(text.encode()) == ["m-1.safetensors", "m-2.safetensors"]


def test_sizes_are_written_as_people_do():
    assert parse_range("min:1B,max:7.5B") == SizeRange(10**9, 7_500_000_000)
    assert parse_range("max:500m") == SizeRange(None, 500_000_000)
    assert parse_range("") is None
    shown = {22_713_216: "22.7M", 595_776_512: "0.6B", 7_241_732_096: "7.2B", 10**12: "1T", 1500: "1.5K", 7: "7"}
    assert {total: short_count(total) for total in shown} == shown


@pytest.mark.parametrize("text", ["7B", "min:", "min:x", "max:-1", "min:2B,max:1B", "min:1B,", "min:1e9"])
def test_other_sizes_are_refused(text: str):
    with pytest.raises(Invalid, match="num_parameters"):
        parse_range(text)


def test_the_configuration_is_what_the_public_hub_tells():
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 1,
              "quantization_config": {"quant_method": "gptq", "bits": 4}}  # fmt: skip
    tokenizer = {"bos_token": {"content": "<s>"}, "eos_token": "</s>", "chat_template": "{{ x }}", "junk": 1}
    found = read_config(
        {"config.json": json.dumps(config).encode(), "tokenizer_config.json": json.dumps(tokenizer).encode()}
    )
    assert found == {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "quantization_config": {"quant_method": "gptq", "bits": 4},
        "tokenizer_config": {"bos_token": "<s>", "eos_token": "</s>", "chat_template": "{{ x }}"},
    }
    info = {"auto_model": "AutoModelForCausalLM", "pipeline_tag": "text-generation", "processor": "AutoTokenizer"}
    assert conclusions.transformers_info(found) == info


@pytest.mark.parametrize(
    "data", [b"", b"[1]", b"[" * 100_000, b'{"architectures":"x","model_type":{"a":1},"auto_map":[1]}', b"\xff",
             b'{"model_type":"\\ud800"}', b'{"model_type":1,"quantization_config":{"bits":true}}']
)  # fmt: skip
def test_a_strange_configuration_says_nothing(data: bytes):
    assert read_config(dict.fromkeys(("config.json", "tokenizer_config.json", "adapter_config.json"), data)) == {}


@pytest.mark.parametrize(
    ("said", "bases", "tags", "names", "config", "relation"),
    [
        ("quantized", ["a/b"], [], [], {}, "quantized"),
        ("nonsense", ["a/b"], [], [], {}, "finetune"),
        ("", ["a/b"], [], ["adapter_config.json"], {}, "adapter"),
        ("", ["a/b"], ["LoRA"], [], {}, "adapter"),
        ("", ["a/b", "a/c"], [], [], {}, "merge"),
        ("", ["a/b"], ["mergekit"], [], {}, "merge"),
        ("", ["a/b"], [], ["x.gguf"], {}, "quantized"),
        ("", ["a/b"], [], [], {"quantization_config": {"bits": 4}}, "quantized"),
    ],
)
def test_how_a_model_came_from_its_base(said, bases, tags, names, config, relation):
    assert conclusions.relation(said, bases, tags, names, config) == relation


def test_library_and_task_are_concluded_only_where_plain():
    assert conclusions.library(["config.json"], {"model_type": "bert"}) == "transformers"
    assert conclusions.library(["adapter_config.json"], {"model_type": "bert"}) == "peft"
    assert conclusions.library(["modules.json", "config_sentence_transformers.json"], {}) == "sentence-transformers"
    assert conclusions.library(["config.json"], {}) == ""
    assert conclusions.pipeline("transformers", {"architectures": ["BertForMaskedLM"]}) == "fill-mask"
    assert conclusions.pipeline("transformers", {"architectures": ["Own"]}) == ""
    assert conclusions.pipeline("", {"architectures": ["BertForMaskedLM"]}) == ""
    assert conclusions.tags(["model.safetensors", "a.onnx"], {"model_type": "bert"}) == {"safetensors", "onnx", "bert"}
