"""The HTML part: a whole document that loads nothing, shows every fact of the plain part, and executes no text."""

import re
from html.parser import HTMLParser

import pytest

from app.events.catalogue import build_example, load_catalogue
from app.notifications.mail_html import to_html
from app.notifications.texts import MESSAGE_LANGUAGES, TEXTS, message_blocks, notice_blocks, subject_of, to_plain
from tests.notifications.test_mail_texts import VALUES
from tests.notifications.test_notice_texts import CASES

pytestmark = pytest.mark.pure

SERVICE = "https://verify.example.az"
READER = {"audience": "company", "company": "<b>“Nümunə”</b> & Co {x}", "service": SERVICE}


class Seen(HTMLParser):
    """What a reader of the document has: its text, languages, addresses, and elements."""

    def __init__(self, html):
        super().__init__()
        self.languages, self.addresses, self.tags, self.words, self.attributes = [], [], set(), [], set()
        self.title, self._inside = "", []
        self.feed(html)
        self.close()
        self.text = " ".join("".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        self._inside.append(tag)
        self._end_line(tag)
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.languages += [value for name, value in attrs if name == "lang"]
        self.addresses += [value for name, value in attrs if name in {"href", "src", "action", "background"}]

    def _end_line(self, tag):
        if tag not in {"span", "a"}:
            self.words.append("\n")

    def handle_endtag(self, tag):
        self._end_line(tag)
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data):
        if "style" in self._inside:
            return
        if "title" in self._inside:
            self.title += data
        else:
            self.words.append(data)


def require_sound(html, blocks):
    seen = Seen(html)
    assert html.startswith("<!doctype html>")
    assert seen.title.strip() == subject_of(blocks)
    assert seen.languages == [blocks[0].language, *(block.language for block in blocks)]
    allowed = {"html", "head", "meta", "title", "style", "body", "div", "table", "tr", "td", "h1", "p", "span", "a"}
    assert seen.tags <= allowed  # nothing that loads: no img, link, script, iframe
    assert not {name for name in seen.attributes if name.startswith("on")}
    assert not re.search(r"url\(|@import|@font-face", html)
    links = [block.action[1] for block in blocks if block.action]
    assert seen.addresses == [*links, SERVICE]
    return seen


def facts(plain):
    """The lines of the plain part; a link is its label and its address."""
    for line in plain.splitlines():
        label, separator, address = line.partition(f": {SERVICE}")
        if separator and " " not in address:
            yield label
        elif line and set(line) != {"-"}:
            yield line


@pytest.mark.parametrize("language", [*MESSAGE_LANGUAGES, None])
def test_each_notice(language):
    for event_type, kind, status in CASES:
        event = build_example(event_type)
        event["data"] |= {"kind": kind, "status": status}
        blocks = notice_blocks(event, language, READER, is_always=event_type.is_mailed_always)
        seen = require_sound(to_html(blocks, SERVICE), blocks)
        for fact in facts(to_plain(blocks)):
            assert " ".join(fact.split()) in seen.text, (event_type.name, fact)
        changes = f"{SERVICE}/v1/me/notification-settings"
        assert (changes in seen.text) == (changes in to_plain(blocks)) == (not event_type.is_mailed_always)


@pytest.mark.parametrize("language", [*MESSAGE_LANGUAGES, None])
@pytest.mark.parametrize("kind", TEXTS)
def test_each_message(kind, language):
    blocks = message_blocks(kind, language, VALUES | {"company": "<script>alert(1)</script>", "service": SERVICE})
    seen = require_sound(to_html(blocks, SERVICE), blocks)
    for line in to_plain(blocks).splitlines():
        if line and set(line) != {"-"}:
            assert " ".join(line.split()) in seen.text
    assert "script" not in seen.tags


def test_numbers_are_not_broken_at_a_hyphen():
    event = build_example(load_catalogue().types["application.submitted"])
    html = to_html(notice_blocks(event, "ru", READER, is_always=False), SERVICE)
    assert html.count('<span style="white-space:nowrap">MIK-A-2026-000002</span>') == 2


def test_names_are_text():
    event = build_example(load_catalogue().types["certificate.issued"])
    html = to_html(notice_blocks(event, "en", READER, is_always=False), SERVICE)
    assert "&lt;b&gt;“Nümunə”&lt;/b&gt; &amp; Co {x}" in html
