"""What people see on the pages."""

from __future__ import annotations

import re

import pytest

from glasshub.plugins import hookimpl
from tests.pages.markup import faults, outline
from tests.pages.site import LONG_NAME, Site

BOARD = "/datasets/lab/capitals/leaderboard"


def _text(html: str) -> str:
    """The words of a page, without marks and with single spaces."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def _ranked(html: str) -> list[tuple[str, str]]:
    """(rank, model) in the order of the table."""
    return re.findall(r'stick-1">(?:<span[^>]*>)?(=?\d+).*?<a href="/([^"]+)"', html, re.DOTALL)


def test_home_tells_what_there_is_and_what_is_new(site: Site):
    html = site.get("/")
    words = _text(html)
    assert re.search(r"\bmodels 6 datasets 3 benchmarks 2\b", words)
    assert "Capitals" in words
    assert "lab/small" in html
    assert "47.25" in words
    assert "secret" not in html


def test_home_of_an_empty_hub_says_how_to_begin(hub):
    from glasshub.app import create_app

    words = _text(create_app(hub).test_client().get("/").text)
    assert "No benchmark yet" in words
    assert "git push" in words


def test_the_model_page_leads_from_a_score_to_the_line_that_holds_it(site: Site):
    html = site.get("/lab/small")
    place = re.search(r'href="(/lab/small/blob/[0-9a-f]{40}/.eval_results/own.yaml)#L(\d+)"', html)
    assert place is not None
    shown = site.get(place[1])
    line = re.search(rf'id="L{place[2]}".*?</span>\n?<span class="line"', shown, re.DOTALL)
    assert "lab/capitals" in _text(shown)
    assert line is not None


def test_the_model_page_leads_from_a_rank_to_the_row_on_the_leaderboard(site: Site):
    html = site.get("/lab/small")
    address, fragment = re.search(r'class="rank" href="([^"#]+)#([^"]+)"', html).groups()
    board = site.get(address.replace("&amp;", "&"))
    assert f'id="{fragment}"' in board
    row = board.split(f'id="{fragment}"', 1)[1].split("</tr>", 1)[0]
    assert "small" in row


def test_several_reports_of_a_task_stand_together_with_their_spread(site: Site):
    words = _text(site.get("/lab/small"))
    assert "2 reports: 41.00 – 47.25" in words.replace("–", " – ").replace("  ", " ")
    reports = _text(site.get(f"{BOARD}?task=europe&model=lab/small"))
    assert "47.25" in reports
    assert "five shots" in reports
    assert "search, code" in reports
    assert "also reported" in reports


def test_results_that_do_not_count_are_shown_with_the_reason(site: Site):
    words = _text(site.get("/lab/small"))
    assert "Results that do not count yet" in words
    assert "africa" in words
    assert "140" in words


def test_problems_name_file_line_and_column_and_stand_at_the_line(site: Site):
    html = site.get("/lab/small")
    place = re.search(r'href="([^"]+/wrong.yaml)#L(\d+)">(\.eval_results/wrong.yaml:\d+:\d+)<', html)
    assert place is not None
    source = site.get("/lab/small/blob/main/.eval_results/wrong.yaml")
    noted = source.split(f'id="L{place[2]}"', 1)[1]
    assert 'class="line-note' in noted.split('class="line"', 1)[0]


def test_cards_are_shown_without_their_scripts(site: Site):
    html = site.get("/lab/small")
    assert "alert(1)" not in html
    assert "onerror" not in html
    assert 'href="/lab/small/blob/main/docs/guide.md#user-content-start"' in html or (
        'href="/lab/small/blob/main/docs/guide.md#start"' in html
    )
    assert 'src="/lab/small/resolve/main/pixel.png"' in html


def test_equal_scores_share_a_rank_and_fine_tunes_are_left_out_until_asked_for(site: Site):
    board = site.get(f"{BOARD}?task=europe")
    assert _ranked(board) == [("=1", "ada/large"), ("=1", "lab/small"), ("3", "ada/third")]
    everyone = site.get(f"{BOARD}?task=europe&base_model=all")
    assert _ranked(everyone)[0] == ("1", "ada/tuned")
    assert "fine-tune" in everyone


def test_lower_is_better_stands_the_other_way_and_says_so(site: Site):
    board = site.get(f"{BOARD}?task=asia")
    assert _ranked(board) == [("1", "ada/large"), ("2", "lab/small")]
    assert 'aria-sort="ascending"' in board
    assert "lower is better" in board


def test_the_dataset_page_has_a_board_for_each_task_and_says_how_to_reproduce_it(site: Site):
    html = site.get("/datasets/lab/capitals")
    words = _text(html)
    assert "europe" in words
    assert "asia" in words
    assert re.search(r"HF_ENDPOINT=http://hub.example inspect eval hf/lab/capitals/europe@[0-9a-f]{40} --model", words)


def test_many_tasks_are_chosen_by_the_address(site: Site):
    html = site.get("/datasets/lab/many?task=t07")
    assert re.search(r'task=t07" aria-current="true"', html)
    assert html.count("No model has reported yet") == 1
    assert "no task called" in site.get("/datasets/lab/many?task=nope", status=404)


def test_a_dataset_without_eval_yaml_has_no_leaderboard(site: Site):
    assert "Leaderboard" not in _text(site.get("/datasets/lab/plain"))
    site.get("/datasets/lab/plain/leaderboard", status=404)


def test_listings_search_filter_sort_and_turn_pages_by_address(site: Site):
    assert "lab/</span>small" in site.get("/models?filter=license:mit")
    assert "lab/</span>small" not in site.get("/models?filter=license:apache-2.0")
    assert "No models match" in site.get("/models?search=zzzz")
    html = site.get("/models?sort=name")
    assert html.index("large</a>") < html.index("small</a>")
    assert "Choose one of" in site.get("/models?sort=sideways", status=400)
    assert "ada/</span>large" in site.get("/models?author=ada")
    assert "lab/</span>small" not in site.get("/models?author=ada")


def test_search_finds_repos_and_people(site: Site):
    words = _text(site.get("/search?q=small"))
    assert "small" in words
    assert "Nothing found" in _text(site.get("/search?q=zzzz"))
    assert 'href="/ada"' in site.get("/search?q=ada")


def test_people_and_organisations_have_pages(site: Site):
    lab = site.get("/lab")
    assert "The Lab" in lab
    assert 'href="/ada"' in lab
    assert "secret" not in lab
    assert "secret-model" in site.get("/lab", user="eve")
    assert 'href="/lab"' in site.get("/ada")
    assert "no user or organisation" in site.get("/nobody", status=404)


@pytest.mark.parametrize(
    "path",
    [
        "/lab/secret-model",
        "/lab/secret-model/evaluations",
        "/lab/secret-model/tree/main",
        "/lab/secret-model/blob/main/.eval_results/a.yaml",
        "/lab/secret-model/commits/main",
        "/datasets/lab/secret-data",
        "/datasets/lab/secret-data/leaderboard",
        f"{BOARD}?task=europe&model=lab/secret-model",
    ],
)
def test_private_repos_do_not_exist_for_others(site: Site, path: str):
    for user in (None, "stranger"):
        hidden = site.get(path, user=user, status=404)
        missing = site.get(path.replace("secret", "absent"), user=user, status=404)
        assert _text(hidden).replace("secret", "absent").split("request")[0] == _text(missing).split("request")[0]
    site.get(path, user="eve")


@pytest.mark.parametrize("path", ["/", "/models", "/datasets", "/benchmarks", "/search?q=secret", "/lab", BOARD])
def test_private_repos_leave_no_trace_on_public_pages(site: Site, path: str):
    assert "secret-" not in site.get(path)
    assert "99.5" not in site.get(path)


def test_members_see_private_models_on_the_board_with_everyones_ranks_moved(site: Site):
    assert _ranked(site.get(f"{BOARD}?task=europe", user="eve"))[0] == ("1", "lab/secret-model")


def test_folders_list_entries_with_their_last_change(site: Site):
    html = site.get("/lab/small/tree/main")
    words = _text(html)
    assert html.index("docs/</a>") < html.index("README.md</a>")
    assert "Answer less" in words
    assert 'href="/lab/small/tree/draft/one"' in html
    assert "draft.txt" in site.get("/lab/small/tree/draft/one")
    assert site.client().get("/lab/small/tree/main/README.md").status_code == 302
    site.get("/lab/small/tree/main/nope", status=404)
    site.get("/lab/small/tree/main/README.md/below", status=404)  # regression: below a file is nothing, not a fault
    site.get("/lab/small/tree/no-such-branch", status=404)


def test_files_are_shown_by_what_they_are(site: Site):
    python = site.get("/lab/small/blob/main/answer.py")
    assert '<span class="k">def</span>' in python
    assert 'id="L2"' in python
    assert "Python" in python
    assert "This is not a text file" in site.get("/lab/small/blob/main/weights.bin")
    assert "too large to show" in site.get("/lab/small/blob/main/large.txt")
    assert '<img src="/lab/small/resolve/main/pixel.png"' in site.get("/lab/small/blob/main/pixel.png")
    assert "<h3" in site.get("/lab/small/blob/main/README.md").split('class="prose"', 1)[1]
    assert "license" in site.get("/lab/small/blob/main/README.md?view=source")
    assert "<script>alert" not in site.get("/lab/small/blob/main/hostile.html")
    assert site.client().get("/lab/small/blob/main/docs").status_code == 302


def test_history_and_commits_tell_what_changed(site: Site):
    html = site.get("/lab/small/commits/main")
    assert html.index("Answer less") < html.index("Report more") < html.index("Write the card")
    only = site.get("/lab/small/commits/main/answer.py")
    assert "Report more" not in only
    commit = re.search(r'href="(/lab/small/commit/[0-9a-f]{40})">Answer less', html)[1]
    words = _text(site.get(commit))
    assert "answer.py" in words
    assert "+1" in words.replace("+ 1", "+1")
    assert "return 42" in words
    assert "return 41" in words


def test_the_first_commit_shows_its_message_and_all_files(site: Site):
    html = site.get("/lab/small/commits/main")
    first = re.search(r'href="(/lab/small/commit/[0-9a-f]{40})">Write the card', html)[1]
    words = _text(site.get(first))
    assert "And say why." in words
    assert "weights.bin" in words


def test_an_empty_repo_says_how_to_fill_it_to_those_who_may(site: Site):
    assert "git push origin main" in site.get("/ada/empty", user="ada")
    assert "Nothing has been pushed" in site.get("/ada/empty")
    assert "This repo is empty" in site.get("/ada/empty/tree/main")
    assert "This repo is empty" in site.get("/ada/empty/commits/main")


def test_a_card_leads_to_the_repos_it_names_that_the_reader_may_see(site: Site):
    assert 'href="/lab/small">lab/small</a>' in site.get("/ada/tuned").split('class="facts"', 1)[1]
    for user, secret in ((None, False), ("eve", True)):
        facts = site.get(f"/{LONG_NAME}", user=user).split('class="facts"', 1)[1]
        assert 'href="/datasets/lab/many"' in facts
        assert 'href="/models?filter=base_model:lab/none"' in facts
        assert ('href="/datasets/lab/secret-data"' in facts) is secret
        assert 'href="/models?filter=dataset:lab/secret-data"' in facts or secret


def test_whoever_signs_in_comes_back(site: Site):
    assert 'href="/login?next=/models%3Fsort%3Dname"' in site.get("/models?sort=name")
    assert site.get("/lab/secret-model", status=404).count('href="/login?next=/lab/secret-model"') == 2
    assert 'href="/login"' in site.get("/")
    assert 'href="/login"' in site.get("/login")


class Failing:
    """A plugin with a mistake."""

    @hookimpl
    def card_panels(self):
        raise ZeroDivisionError("a detail that is nobody's business")


@pytest.mark.parametrize(
    ("path", "user", "status", "advice"),
    [
        ("/lab/none", None, 404, "sign in with an account that may read it"),
        ("/lab/small/blob/main/none", None, 404, "at this revision"),
        ("/models?sort=sideways", None, 400, "Choose one of"),
        ("/models?cursor=zzz", None, 400, "cursor"),
        ("/lab/small/settings", "eve", 403, "Ask an admin of lab"),
        ("/lab/small/settings/move", None, 405, "not allowed"),
        ("/lab/small", None, 500, "it has been logged"),
    ],
)
def test_errors_are_pages_that_say_what_to_do(site: Site, path: str, user: str | None, status: int, advice: str):
    plugin = Failing() if status == 500 else None
    if plugin:
        site.hub.plugins.register(plugin)
    try:
        html = site.get(path, user=user, status=status)
    finally:
        if plugin:
            site.hub.plugins.unregister(plugin)
    assert f"Error {status}" in _text(html)
    assert advice in _text(html)
    assert "nobody" not in html
    assert faults(html) == []


@pytest.mark.slow
def test_every_page_is_sound_and_no_link_is_dead(site: Site):
    """Follow every link of a member's browser: sound HTML everywhere, no inline code, nothing missing."""
    client = site.client("ada")
    waiting, seen, wrong = ["/"], {"/"}, []
    while waiting:
        path = waiting.pop()
        answer = client.get(path)
        if answer.status_code >= 400:
            wrong.append(f"{path}: {answer.status_code}")
            continue
        if answer.status_code >= 300 or answer.mimetype != "text/html":
            continue
        wrong += [f"{path}: {fault}" for fault in faults(answer.text)]
        for link in outline(answer.text).links:
            target = link.split("#", 1)[0]
            shape = re.sub(r"[0-9a-f]{40}", "<commit>", target)  # one commit's page is like another's
            if target.startswith("/") and not target.startswith("//") and shape not in seen:
                seen.add(shape)
                waiting.append(target)
    assert not wrong, "\n".join(wrong)
    assert len(seen) > 60
