"""What people see of models: sizes, where they come from, and what cards claim in the older way."""

from __future__ import annotations

import html as escapes
import re
from collections.abc import Iterator

import pytest

from glasshub import accounts
from glasshub.app import create_app
from glasshub.config import Settings
from glasshub.hub import open_hub
from tests.pages.markup import faults
from tests.pages.site import BOARD, Site, result
from tests.weights.files import gguf, safetensors

pytestmark = pytest.mark.slow

INDEX = """\
model-index:
- name: base
  results:
  - task: {type: text-classification, name: Classification}
    dataset: {type: imdb, name: "IMDb <b>", config: plain, split: test}
    metrics: [{type: accuracy, value: 0.9310}]
    source: {name: The paper, url: "https://example.org/p"}
  - {task: x, dataset: y}
"""
PLACE = "/datasets/ada/capitals/leaderboard"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A benchmark; a base model with scores of the older kind, and models made from it."""
    hub = open_hub(Settings(data=tmp_path_factory.mktemp("models")))
    accounts.add_user(hub, "ada")
    site = Site(hub, create_app(hub))
    site.push("dataset", "ada/capitals", {"eval.yaml": BOARD})
    child = "---\nbase_model: ada/base\n---\n# Child\n"
    card = f"---\nlicense: mit\nlibrary_name: own\n{INDEX}---\n# Base\n"
    weights = safetensors({"a": ("BF16", [1000, 600]), "b": ("F32", [64])})
    scores = {".eval_results/a.yaml": result(40, dataset="ada/capitals")}
    site.push("model", "ada/base", {"README.md": card, "model.safetensors": weights, **scores})
    site.push("model", "ada/quantized", {"README.md": child, "q.gguf": gguf([[50, 10]]), **scores})
    site.push("model", "ada/tuned", {"README.md": child, **scores})
    site.push("model", "ada/secret", {"README.md": child}, private=True)
    site.push(
        "model", "ada/broken", {"model.safetensors": b"no", ".eval_results/a.yaml": result(90, dataset="ada/capitals")}
    )
    yield site
    hub.close()


def _words(html: str) -> str:
    return re.sub(r"\s+", " ", escapes.unescape(re.sub(r"<[^>]+>", " ", html)))


def _models(html: str) -> list[str]:
    return re.findall(r'<th scope="row" class="stick-2"><a href="/([^"]+)"', html)


def test_the_card_tells_size_library_and_what_was_made_of_the_model(site: Site):
    html = site.get("/ada/base")
    assert faults(html) == []
    words = _words(html)
    assert "Parameters 600.1K, BF16 and F32" in words
    assert 'title="600,064 parameters"' in html
    assert "Built on it 1 fine-tune 1 quantization" in words
    assert 'href="/models?filter=base_model:finetune:ada/base"' in html
    assert "2 fine-tunes" in _words(site.get("/ada/base", user="ada"))
    assert _words(site.get("/models?filter=base_model:quantized:ada/base")).count("1 model found") == 1
    for chip in ("license:mit", "safetensors", "own"):
        assert f'<a class="tag" href="/models?filter={chip}">' in html


def test_the_card_tells_what_a_model_was_made_from(site: Site):
    words = _words(site.get("/ada/quantized"))
    assert "Quantized from ada/base" in words
    assert "Parameters 500 (GGUF) Architecture llama Context 4,096 tokens" in words
    assert "Fine-tuned from ada/base" in _words(site.get("/ada/tuned"))


def test_scores_of_the_older_kind_stand_apart_and_count_nowhere(site: Site):
    html = site.get("/ada/base")
    words = _words(html)
    assert "Self-reported, legacy" in words
    assert "IMDb <b>" in words
    assert "IMDb &lt;b&gt;" in html
    assert "plain · test" in words
    assert "0.9310" in words
    assert '<a href="https://example.org/p" rel="nofollow noopener">The paper</a>' in html
    assert re.search(r'href="/ada/base/blob/[0-9a-f]{40}/README.md#L9"', html)
    assert "README.md:11:12 A result in model-index needs task.type" in words
    assert "imdb" not in site.get("/benchmarks").lower()
    assert "1 result" in _words(site.get("/models?search=base"))


def test_weights_that_cannot_be_read_are_named(site: Site):
    words = _words(site.get("/ada/broken"))
    assert "model.safetensors:1:1 The parameters of this model are not counted" in words


def test_a_leaderboard_is_narrowed_by_size_and_keeps_it_in_its_links(site: Site):
    assert len(_models(site.get(f"{PLACE}?base_model=all"))) == 4
    html = site.get(f"{PLACE}?base_model=all&num_parameters=max:100M")
    assert faults(html) == []
    assert _models(html) == ["ada/base", "ada/quantized"]
    assert '<option value="max:100M" selected>' in html
    assert 'name="base_model" value="all"' in html
    pills = html.split('aria-label="Which models"')[1].split("</nav>")[0]
    assert pills.count("num_parameters=max:100M") == 2
    assert re.search(r'href="/api/datasets/[^"]*num_parameters=max:100M"', html)
    assert re.search(r'href="/api/[^"]*export[^"]*num_parameters=max:100M[^"]*" download', html)
    assert "No model of this size" in site.get(f"{PLACE}?num_parameters=min:1T")
    assert "num_parameters is written" in _words(site.get(f"{PLACE}?num_parameters=big", status=400))


def test_lists_are_narrowed_by_size(site: Site):
    html = site.get("/models?num_parameters=max:1K")
    assert "1 model found" in _words(html)
    assert "500 parameters" in _words(html)
    assert '<option value="max:1K" selected>' in html
    assert "num_parameters" not in site.get("/datasets")
