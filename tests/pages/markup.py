"""What every page must be, read from its HTML."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"])


class Outline(HTMLParser):
    """Collects headings, links, ids, forms' fields, and everything that is not allowed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[tuple[str, str]] = []
        self.headings: list[int] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.labels: set[str] = set()
        self.fields: list[str] = []
        self.wrong: list[str] = []
        self.tables = 0
        self.captions = 0

    @property
    def in_prose(self) -> bool:
        """Inside what a user wrote."""
        return any("prose" in classes.split() for _, classes in self.stack)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        self._check(tag, found)
        if tag[0] == "h" and tag[1:].isdigit() and (tag in ("h1", "h2") or not self.in_prose):
            self.headings.append(int(tag[1:]))
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag == "label":
            self.labels.add(found.get("for", ""))
        if tag in ("input", "select", "textarea") and found.get("type") != "hidden" and not self.in_prose:
            self.fields.append(found.get("id", "(no id)"))
        if tag == "table" and not self.in_prose:
            self.tables += 1
        if tag == "caption":
            self.captions += 1
        if "id" in found:
            self.ids.append(found["id"])
        if tag not in VOID:
            self.stack.append((tag, found.get("class", "")))

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._check(tag, {name: value or "" for name, value in attributes})

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.stack or self.stack[-1][0] != tag:
            self.wrong.append(f"</{tag}> closes {self.stack[-1:]} at line {self.getpos()[0]}")
            while self.stack and self.stack[-1][0] != tag:
                self.stack.pop()
        if self.stack:
            self.stack.pop()

    def _check(self, tag: str, found: dict[str, str]) -> None:
        for name in found:
            if name == "style" or name.startswith("on"):
                self.wrong.append(f"<{tag} {name}> is inline code")
        if tag == "style" or (tag == "script" and not found.get("src", "").startswith("/static/")):
            self.wrong.append(f"<{tag}> is inline")
        if tag == "img" and "alt" not in found and not self.in_prose:
            self.wrong.append("<img> without alt")
        if tag == "th" and not self.in_prose and "scope" not in found:
            self.wrong.append("<th> without scope")
        for name in ("src", "href"):
            if tag in ("link", "script", "img") and found.get(name, "/").startswith(("http:", "https:", "//")):
                self.wrong.append(f"<{tag} {name}={found[name]}> is fetched from elsewhere")


def outline(html: str) -> Outline:
    """Read a page."""
    parser = Outline()
    parser.feed(html)
    parser.close()
    return parser


def faults(html: str) -> list[str]:
    """What is wrong with a page, in words."""
    page = outline(html)
    wrong = list(page.wrong)
    if page.stack:
        wrong.append(f"left open: {[tag for tag, _ in page.stack]}")
    if page.headings.count(1) != 1:
        wrong.append(f"{page.headings.count(1)} <h1>")
    wrong += [
        f"<h{below}> after <h{above}>"
        for above, below in zip(page.headings, page.headings[1:], strict=False)
        if below > above + 1
    ]
    wrong += [f"id {name} twice" for name in sorted({name for name in page.ids if page.ids.count(name) > 1})]
    wrong += [f"field {name} without a label" for name in page.fields if name not in page.labels]
    if page.captions < page.tables:
        wrong.append("a table without a caption")
    return wrong
