"""A browser without scripts: it keeps cookies, finds the forms of a page, and sends them as a person would."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx2

from glasshub.web.auth import COOKIE
from tests.conftest import Person


@dataclass
class Form:
    """One form: where it goes, and its fields with what stands in them."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        if tag == "form":
            self.found.append(Form(values.get("action", "")))
        if tag not in ("input", "select", "textarea", "button") or "name" not in values or not self.found:
            return
        chosen = values.get("type") not in ("radio", "checkbox") or "checked" in values
        known = self.found[-1].fields
        known[values["name"]] = values.get("value", "") if chosen else known.get(values["name"], "")


class Visitor:
    """Somebody with a browser of their own in front of the hub at ``url``."""

    def __init__(self, url: str) -> None:
        self.http = httpx2.Client(base_url=url, timeout=30)

    def get(self, path: str) -> httpx2.Response:
        """The page at ``path``; redirects are not followed."""
        return self.http.get(path)

    def form(self, path: str, action: str) -> Form:
        """The form of the page at ``path`` that is sent to ``action``."""
        parser = _Forms()
        parser.feed(self.get(path).text)
        (found,) = [form for form in parser.found if form.action == action][:1] or [None]
        assert found is not None, f"{path} has no form for {action}"
        return found

    def submit(self, path: str, action: str = "", **values: str) -> httpx2.Response:
        """Fill in the form of the page at ``path`` and send it; what is not given stays as it was."""
        form = self.form(path, action or path)
        assert set(values) <= set(form.fields), f"the form has only {sorted(form.fields)}"
        sent = {name: value for name, value in {**form.fields, **values}.items() if value != "" or name in values}
        return self.http.post(form.action, data=sent)

    def sign_in(self, person: Person, *, password: str = "", next: str = "") -> httpx2.Response:
        """Fill in the log-in page."""
        page = f"/login?next={next}" if next else "/login"
        return self.submit(page, "/login", name=person.name, password=password or person.password)

    @property
    def session(self) -> str:
        """The secret in the session's cookie."""
        return self.http.cookies[COOKIE]

    @session.setter
    def session(self, secret: str) -> None:
        self.http.cookies.set(COOKIE, secret, domain=self.http.base_url.host)

    def is_signed_in(self) -> bool:
        """Whether a page that is only for people with an account opens."""
        return self.get("/settings").status_code == 200

    def close(self) -> None:
        """Close the browser."""
        self.http.close()
