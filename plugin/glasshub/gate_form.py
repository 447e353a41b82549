"""The form by which people ask for access to a gated repo, as its card's front matter describes it. Pure.

The keys are those of the Hugging Face Hub: ``extra_gated_heading``, ``_prompt``, ``_description``, ``_fields`` and
``_button_content``. Everything in them is untrusted; what is no field is left out, and long texts are cut.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from glasshub.errors import Invalid

Kind = Literal["text", "checkbox", "select", "date_picker", "country"]
HEADING = "You need to agree to share your contact information to access this repo"
BUTTON = "Agree and request access"
BUTTON_AUTO = "Agree and access the files"
MOST_FIELDS, MOST_OPTIONS = 40, 300
MOST_PROMPT, MOST_LABEL, MOST_VALUE = 30_000, 500, 1_000


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to fill in. ``name`` is the form's, ``label`` the card's; ``options`` are those of a ``select``."""

    name: str
    label: str
    kind: Kind
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GateForm:
    """The form. ``prompt`` and ``description`` are Markdown, the rest is plain text; all fields are to be filled in."""

    heading: str = ""
    prompt: str = ""
    description: str = ""
    button: str = ""
    fields: tuple[Field, ...] = ()

    @property
    def version(self) -> str:
        """What tells this form from another: nobody agrees to terms that they were not shown."""
        return hashlib.sha256(repr(sorted(asdict(self).items())).encode()).hexdigest()[:16]


def gate_form(front_matter: Mapping[str, Any]) -> GateForm:
    """The form that a card asks for; never raises on bad input."""
    said = {
        key: _text(front_matter.get(f"extra_gated_{key}"), most)
        for key, most in (
            ("heading", MOST_LABEL), ("prompt", MOST_PROMPT), ("description", MOST_PROMPT), ("button_content", 100)
        )
    }  # fmt: skip
    fields = front_matter.get("extra_gated_fields")
    listed = list(fields.items()) if isinstance(fields, dict) else []
    found = [_field(f"field-{number}", label, what) for number, (label, what) in enumerate(listed[:MOST_FIELDS])]
    return GateForm(
        said["heading"], said["prompt"], said["description"], said["button_content"],
        tuple(field for field in found if field is not None),
    )  # fmt: skip


def answers(form: GateForm, given: Mapping[str, str]) -> dict[str, str | bool]:
    """What somebody filled in, by label.

    Raises:
        Invalid: something is missing, too long, or not among the options; the message names the field.
    """
    found: dict[str, str | bool] = {}
    for field in form.fields:
        value = " ".join(given.get(field.name, "").split())
        if not value:
            verb = "Tick" if field.kind == "checkbox" else "Fill in"
            raise Invalid(f"{verb} {field.label!r}: whoever asks for access has to.")
        if len(value) > MOST_VALUE or not value.isprintable():
            raise Invalid(f"{field.label!r} takes at most {MOST_VALUE:,} characters that can be seen.")
        if field.kind == "select" and value not in field.options:
            raise Invalid(f"Choose one of the options of {field.label!r}.")
        found[field.label] = True if field.kind == "checkbox" else value
    return found


def _field(name: str, label: object, what: object) -> Field | None:
    text = _text(label, MOST_LABEL)
    kind = what.get("type") if isinstance(what, dict) else what
    known = next((one for one in get_args(Kind) if one == kind), None)
    if not text or known is None:
        return None  # ip_location, too: this hub does not look where people are
    options = what.get("options") if isinstance(what, dict) else None
    chosen = [_option(item) for item in options[:MOST_OPTIONS]] if isinstance(options, list) else []
    if known == "select" and not any(chosen):
        return None
    return Field(name, text, known, tuple(option for option in chosen if option) if known == "select" else ())


def _option(item: object) -> str:
    return _text(item.get("label") or item.get("value") if isinstance(item, dict) else item, MOST_LABEL)


def _text(value: object, most: int) -> str:
    text = str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    return text[:most] if most > MOST_LABEL else " ".join(text.split())[:most]
