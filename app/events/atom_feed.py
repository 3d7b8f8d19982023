"""Write events of certificates as an Atom feed (RFC 4287). Pure: the same events give the same bytes."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from app.core.dates import format_utc
from app.events.catalogue import EventType
from app.events.public_event import PublicEvent

MEDIA_TYPE = "application/atom+xml"
_NAMESPACE = "http://www.w3.org/2005/Atom"
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""`updated` of a feed without an entry."""


def write_feed(
    events: Sequence[PublicEvent], types: Mapping[str, EventType], *, base_url: str, path: str, title: str
) -> bytes:
    """Return the feed of these events, newest first; `path` is its own address. Ids never change."""
    host = urlsplit(base_url).hostname
    feed = ET.Element("feed", xmlns=_NAMESPACE)
    _add(feed, "id", f"tag:{host},2026:{path}")
    _add(feed, "title", title)
    _add(feed, "updated", format_utc(events[0].at if events else _EPOCH))
    ET.SubElement(feed, "link", rel="self", type=MEDIA_TYPE, href=f"{base_url}{path}")
    _add(ET.SubElement(feed, "author"), "name", str(host))
    for event in events:
        entry = ET.SubElement(feed, "entry")
        _add(entry, "id", f"tag:{host},2026:{event.id}")
        _add(entry, "title", f"{event.subject.id}: {types[event.type].meaning}")
        _add(entry, "updated", format_utc(event.at))
        ET.SubElement(entry, "category", term=event.type)
        ET.SubElement(entry, "link", rel="alternate", type="text/html", href=f"{base_url}/v/{event.subject.id}")
        _add(entry, "summary", types[event.type].meaning)
    body: bytes = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
    return body


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = text
