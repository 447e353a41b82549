"""JSON answers: the fast encoder says what Flask's own would say."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from flask import Flask, jsonify
from flask.json.provider import DefaultJSONProvider
from hypothesis import given
from hypothesis import strategies as st

from glasshub.web.encoding import init_encoding

app = Flask(__name__)
init_encoding(app)
plain = DefaultJSONProvider(app)
texts = st.text(st.characters(codec=None))  # lone surrogates too: names of files need not be Unicode
scalars = st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats(allow_nan=False) | texts
values = st.recursive(scalars, lambda below: st.lists(below) | st.dictionaries(texts, below), max_leaves=20)


@given(values)
def test_answers_mean_what_the_standard_encoder_means(value):
    value = json.loads(plain.dumps(value).replace("Infinity", "1e9"))  # JSON has no infinity
    assert json.loads(app.json.dumps(value)) == value


def test_what_only_the_standard_encoder_takes_is_answered_all_the_same():
    with app.app_context():
        for value in (10**30, "\udce9.txt", {1: "a"}, datetime(2026, 1, 1, tzinfo=UTC)):
            assert jsonify([value]).get_data() == plain.response([value]).get_data()


def test_answers_are_compact_sorted_and_never_hold_what_is_not_json():
    with app.app_context():
        assert jsonify(b=float("nan"), a="é").get_data() == '{"a":"é","b":null}\n'.encode()
