"""Atom feeds (RFC 4287) as bytes. Pure: values in, XML out."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

NAMESPACE = "http://www.w3.org/2005/Atom"
TYPE = "application/atom+xml"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. ``id`` is any text that names the thing for ever; ``author`` may be empty."""

    id: str
    title: str
    url: str
    published: str
    updated: str
    author: str
    summary: str


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed. ``url`` is its own address, ``page`` that of the page that shows the same; ``since`` its oldest date."""

    id: str
    title: str
    url: str
    page: str
    author: str
    since: str
    entries: Sequence[Entry]

    @property
    def updated(self) -> str:
        """The date of the newest entry."""
        return max([self.since, *(entry.updated for entry in self.entries)])


def permanent_id(text: str) -> str:
    """The same IRI for the same text, whatever the hub is called."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"glasshub:{text}").urn


def to_xml(feed: Feed) -> bytes:
    """The feed as an XML document."""
    root = Element("feed", xmlns=NAMESPACE)
    _text(root, "id", permanent_id(feed.id))
    _text(root, "title", feed.title)
    _text(root, "updated", feed.updated)
    _person(root, feed.author)
    SubElement(root, "link", rel="self", type=TYPE, href=feed.url)
    SubElement(root, "link", rel="alternate", type="text/html", href=feed.page)
    SubElement(root, "generator").text = "Glasshub"
    for entry in feed.entries:
        _entry(root, entry)
    text: str = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()


def _entry(root: Element, entry: Entry) -> None:
    found = SubElement(root, "entry")
    _text(found, "id", permanent_id(entry.id))
    _text(found, "title", entry.title)
    _text(found, "published", entry.published)
    _text(found, "updated", entry.updated)
    if entry.author:
        _person(found, entry.author)
    SubElement(found, "link", rel="alternate", type="text/html", href=entry.url)
    _text(found, "summary", entry.summary)


def _person(parent: Element, name: str) -> None:
    _text(SubElement(parent, "author"), "name", name)


def _text(parent: Element, tag: str, text: str) -> None:
    SubElement(parent, tag).text = _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
