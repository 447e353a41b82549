"""Differences as pages show them: every line as it is, marked and highlighted, whatever is in it."""

from __future__ import annotations

import html
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from glasshub.git.diff import DiffLine, FileChange, Hunk
from glasshub.web.pages.pulls_diff import LONGEST_LINE, ShownHunk, show_files


def change(*lines: tuple[str, str], path: str = "a.py", ids: str = "1") -> FileChange:
    """A change with one hunk, whose lines are numbered from 1 on each side."""
    old = new = 0
    made = []
    for kind, text in lines:
        old, new = old + (kind != "+"), new + (kind != "-")
        made.append(DiffLine(kind, old if kind != "+" else 0, new if kind != "-" else 0, text))  # type: ignore[arg-type]
    kinds = [kind for kind, _ in lines]
    hunk = Hunk(1, 1, "@@", tuple(made))
    return FileChange(
        path, path, "modified", False, kinds.count("+"), kinds.count("-"), (hunk,), old_id=ids * 40, new_id="2" * 40
    )


def shown(*lines: tuple[str, str], texts: dict[str, str] | None = None) -> ShownHunk:
    (file,) = show_files([change(*lines)], texts or {})
    return file.hunks[0]


def text_of(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", markup))


def marks(markup: str) -> list[str]:
    return [text_of(found) for found in re.findall(r"<mark>(.*?)</mark>", markup)]


LINES = st.text(st.characters(blacklist_characters="\n", blacklist_categories=["Cs", "Cc", "Cf"]), max_size=30)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(" +-"), LINES), min_size=1, max_size=12))
def test_every_line_is_shown_as_it_is_in_both_views(lines: list[tuple[str, str]]):
    sides = {
        "1" * 40: "\n".join(text for kind, text in lines if kind != "+"),
        "2" * 40: "\n".join(text for kind, text in lines if kind != "-"),
    }
    hunk = shown(*lines, texts=sides)
    assert [(line.kind, text_of(line.html)) for line in hunk.lines] == lines
    olds = [old for old, _ in hunk.rows if old]
    news = [new for _, new in hunk.rows if new]
    assert [text_of(line.html) for line in olds] == [text for kind, text in lines if kind != "+"]
    assert [text_of(line.html) for line in news] == [text for kind, text in lines if kind != "-"]


def test_the_changed_part_of_a_line_is_marked_in_whole_words():
    before, after = shown(("-", "  value: 47.25"), ("+", "  value: 48.75")).lines
    assert marks(before.html) == ["47.25"]
    assert marks(after.html) == ["48.75"]
    before, after = shown(("-", "one thing"), ("+", "quite another")).lines
    assert marks(before.html) == marks(after.html) == []


def test_code_is_highlighted_with_what_stands_around_it_in_mind():
    texts = {"1" * 40: 'a = """\nstill text\n"""\n', "2" * 40: 'a = """\nmore text\n"""\n'}
    old, new = shown(("-", 'a = """'), ("-", "still text"), ("+", 'a = """'), ("+", "more text"), texts=texts).lines[
        1::2
    ]
    assert 'class="s2"' in old.html
    assert 'class="s2"' in new.html


def test_marks_that_turn_text_around_are_shown_by_name():
    (line,) = shown(("+", "if x: \u202e\u2066 # \x1b[31m\x07")).lines
    assert text_of(line.html) == "if x: ⟨U+202E⟩⟨U+2066⟩ # ⟨U+001B⟩[31m⟨U+0007⟩"


def test_a_change_of_line_ends_can_be_seen():
    before, after = shown(("-", "same\r"), ("+", "same")).lines
    assert marks(before.html) == ["␍"]
    assert marks(after.html) == []
    (line,) = shown((" ", "same\r")).lines
    assert text_of(line.html) == "same"


def test_endless_lines_are_cut():
    (line,) = shown(("+", "<" * 100_000)).lines
    assert text_of(line.html) == "<" * LONGEST_LINE + "…"


def test_what_does_not_fit_is_left_for_a_page_of_its_own():
    files = [change(*[("+", str(n)) for n in range(count)], ids=str(count)) for count in (30, 50, 20)]
    assert [file.withheld for file in show_files(files, {}, most_lines=60)] == [False, True, False]
    assert [file.withheld for file in show_files(files, {}, most_lines=10)] == [False, True, True]
    assert not any(file.withheld for file in show_files(files, {}))
