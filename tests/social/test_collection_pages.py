"""The pages of collections: kept by forms without scripts, and looked at on a phone, in the dark."""

from __future__ import annotations

import pytest
from playwright.sync_api import sync_playwright

from tests.pages.browser import launch

pytestmark = pytest.mark.slow


def path_of(answer) -> str:
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def test_a_collection_is_kept_by_forms(lab, visit):
    me, browser = lab.people["author"], visit(lab.people["author"])
    model, data, secret = lab.repo(), lab.repo(type="dataset"), lab.repo(private=True)
    made = browser.submit("/collections/new", title="Reading <list>", description="For juniors", theme="green")
    page = path_of(made)
    assert "Nothing in here yet" in browser.get(page).text
    wrong = browser.submit("/collections/new", title="reading <LIST>")
    assert (wrong.status_code, "There is a collection of this title" in wrong.text) == (400, True)
    edit, items = f"{page}/edit", f"{page}/items"
    assert path_of(browser.submit(edit, items, id=f"{lab.live.url}/datasets/{data}")) == edit
    assert path_of(browser.submit(edit, items, id=model)) == edit
    for name in (secret, "nobody/nothing", "papers/1", data.replace("/", "/x")):
        refused = browser.submit(edit, items, id=name)
        assert (refused.status_code, "Not Found" in refused.text) == (400, True), name
    # from the card of a repo: into a new one, and into one that is there
    card = f"/{model}"
    assert "Add to a collection" in browser.get(card).text
    other = path_of(browser.submit(f"{card}/collect", collection="", title="Another"))
    again = browser.submit(f"{card}/collect", collection=page.removeprefix("/collections/"))
    assert (again.status_code, "is in this collection" in again.text) == (400, True)
    assert "Reading &lt;list&gt;" in visit().get(card).text  # the card tells which collections it is in
    shown = lab.api("anonymous").get_collection(page.removeprefix("/collections/"))
    assert [it.item_id for it in shown.items] == [data, model]
    first, second = (f"{items}/{it.item_object_id}" for it in shown.items)
    assert browser.submit(edit, first, do="save", note="Start <here>").status_code == 303
    assert browser.submit(edit, second, do="up").status_code == 303
    text = visit().get(page).text
    assert text.index(model) < text.index(data)
    assert "Start &lt;here&gt;" in text
    assert browser.submit(edit, second, do="remove").status_code == 303
    assert model not in visit().get(page).text
    # upvotes, lists
    fan = visit(lab.people["stranger"])
    assert path_of(fan.submit(page, f"{page}/upvote")) == page
    assert "Upvoted" in fan.get(page).text
    listed = visit().get("/collections?sort=upvotes").text
    assert "1 upvote" in listed
    assert "Reading &lt;list&gt;" in visit().get(f"/{me.name}").text
    assert fan.get(edit).status_code == 403
    assert visit().get(edit).headers["Location"].startswith("/login")
    # renamed, hidden, deleted
    renamed = path_of(browser.submit(edit, title="Shelf", private="1"))
    assert visit().get(renamed).status_code == 404
    assert "Shelf" not in visit().get(f"/collections/{me.name}").text
    assert browser.get(page).headers["Location"] == renamed  # whoever may see it is led there
    assert browser.submit(f"{renamed}/edit", f"{renamed}/delete").headers["Location"] == f"/collections/{me.name}"
    assert browser.get(renamed).status_code == 404
    assert browser.get(other).status_code == 200


def test_pages_fit_a_phone_and_break_no_policy(lab, visit, tmp_path):
    api, me = lab.api("writer"), lab.people["writer"]
    slug = api.create_collection("A" * 60, description="word " * 29).slug
    for number in range(3):
        api.add_collection_item(slug, lab.repo(), "model", note=("long" * 40 if number else None))
    kept = visit(me)
    complaints = []
    pages = ("/collections", f"/collections/{me.name}", f"/collections/{slug}", f"/collections/{slug}/edit",
             "/collections/new", f"/{lab.repo()}/collect", f"/{me.name}", "/oauth/device")  # fmt: skip
    with sync_playwright() as play:
        browser = launch(play)
        context = browser.new_context(viewport={"width": 360, "height": 800}, color_scheme="dark")
        context.add_cookies([{"name": "glasshub_session", "value": kept.session, "url": lab.live.url}])
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        for path in pages:
            assert page.goto(f"{lab.live.url}{path}").status == 200, path
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
        browser.close()
    assert complaints == []
