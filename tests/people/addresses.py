"""Every address of the hub, filled in for one repo: so that tests of privacy and forgery forget none."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flask import Flask
from werkzeug.routing import Rule

VALUES = {
    "rest": "main/.eval_results/a.yaml",
    "path": "main/.eval_results/a.yaml",
    "revision": "main",
    "org": "lab",
    "action": "write",
}


def addresses(app: Flask, namespace: str, name: str, *, type: str = "model") -> Iterator[tuple[Rule, str]]:
    """(rule, path) of everything the hub answers; addresses of repos are those of one repo."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static" or (rule.defaults or {}).get("type", type) != type:
            continue
        known = {**VALUES, "kind": f"{type}s", "ns": namespace, "name": name, **(rule.defaults or {})}
        values = {argument: known.get(argument, _any_value(rule.rule, argument)) for argument in rule.arguments}
        built = rule.build(values, append_unknown=False)
        assert built is not None, rule
        yield rule, built[1]


def _any_value(rule: str, argument: str) -> str | int:
    """Something that fits where nothing in particular is asked for."""
    if re.search(rf"<int(\([^)]*\))?:{argument}>", rule):
        return 1
    choice = re.search(rf"<any\(['\"]([\w-]+)[^)]*\):{argument}>", rule)
    return choice[1] if choice else "x"
