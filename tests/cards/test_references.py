"""What comments refer to becomes links, wherever it may and nowhere else."""

from __future__ import annotations

import re
import time

import pytest

from glasshub.markdown import render_markdown
from glasshub.references import candidates, references

SHA = "0123456789abcdef0123456789abcdef01234567"
ADDRESSES = {
    "@ada": "/ada",
    "#12": "/lab/m/discussions/12",
    SHA: f"/lab/m/commit/{SHA}",
    "abcdef1": "/lab/m/commit/abcdef1",
}


def html(text: str, ids: str = "c1-") -> str:
    return render_markdown(
        text, link=lambda target: f"/blob/{target}", image=lambda target: f"/raw/{target}", own="http://hub.example",
        ids=ids, addresses=ADDRESSES,
    ).strip()  # fmt: skip


def links(text: str) -> list[str]:
    return re.findall(r'<a href="([^"]+)"', html(text))


def test_people_numbers_commits_and_bare_addresses_are_linked():
    shown = html(f"@ada, see #12 and {SHA} (or abcdef1): https://example.org/a_(b).")
    assert links(f"@ada, see #12 and {SHA} (or abcdef1): https://example.org/a_(b).") == [
        "/ada", "/lab/m/discussions/12", f"/lab/m/commit/{SHA}", "/lab/m/commit/abcdef1", "https://example.org/a_(b)",
    ]  # fmt: skip
    assert "<code>0123456</code>" in shown
    assert 'rel="nofollow noopener"' in shown


@pytest.mark.parametrize(
    "text",
    [
        "`@ada` and `#12`", "```\n@ada #12\n```", "    @ada", "a@ada.example", "x#12", "#12a", "##12", "/@ada", "#0",
        "@adam", "1234567", "$@ada$", "\\@x", "abcdef12",
    ],
)  # fmt: skip
def test_code_addresses_and_unknown_names_stay_text(text: str):
    assert links(text) == []


def test_links_are_not_linked_again():
    assert html("[to @ada](/x) <https://a.example/@ada>").count("<a ") == 2


def test_what_stands_in_emphasis_lists_and_tables_is_linked_too():
    text = "**@ada**\n\n- #12\n\n|a|\n|-|\n|@ada|\n"
    assert links(text) == ["/ada", "/lab/m/discussions/12", "/ada"]


def test_line_ends_are_kept_in_comments_and_only_there():
    assert "<br" in html("one\ntwo")
    assert "<br" not in render_markdown("one\ntwo", link=str, image=str)
    assert "<a" not in render_markdown("@ada #12 https://a.example", link=str, image=str)


def test_ids_of_several_comments_on_a_page_differ():
    text = "## Head\n\n[to it](#head) note[^1]\n\n[^1]: here"
    one, other = html(text, "a-"), html(text, "b-")
    assert re.findall(r'id="user-content-a-[^"]+"', one)
    assert not set(re.findall(r'id="([^"]+)"', one)) & set(re.findall(r'id="([^"]+)"', other))
    assert set(re.findall(r'href="#([^"]+)"', one)) <= set(re.findall(r'id="([^"]+)"', one))


def test_pictures_come_from_this_hub_alone():
    shown = html(
        "![a](http://hub.example/uploads/x.png) ![b](https://else.example/y.png) ![c](z.png) "
        "![d](http://hub.example//else.example/y.png)"
    )
    assert re.findall(r'<img[^>]* src="([^"]*)"', shown) == ["/uploads/x.png", "/raw/z.png"]
    assert 'href="https://else.example/y.png"' in shown


def test_each_reference_is_looked_up_once_and_not_too_many():
    assert [r.text for r in candidates("@ada @ada #1 #1")] == ["@ada", "#1"]
    assert len(candidates(" ".join(f"#{n}" for n in range(1, 1000)))) == 200
    assert [r.value for r in references("@ada. @b-c-, https://x.example/?")] == ["ada", "b-c", "https://x.example/"]


def test_hostile_text_takes_no_longer():
    start = time.process_time()
    for text in ("@a." * 20_000, "https://x" + ")" * 60_000, "#1" * 30_000, "a" * 60_000, "https://" * 8_000):
        html(text)
    assert time.process_time() - start < 5
