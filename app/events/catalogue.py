"""Load the catalogue of public events (`events.toml`), and build the JSON Schema and an example of each. Pure."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

SEPARATOR = "."
_EXAMPLE_SUBJECTS: Mapping[str, tuple[str, str | None]] = {
    "certificate": ("MIK-2026-000042-Y", "MIK-2026-000042-Y"),
    "application": ("01930000-0000-7000-8000-000000000002", "MIK-A-2026-000002"),
    "ruleset": ("MIK/2026.2", None),
}
_EXAMPLE_ID = "01930000-0000-7000-8000-000000000007"
_EXAMPLE_REASON = {"code": "court", "az": "məhkəmə", "en": "court"}
_TIME = {"type": "string", "format": "date-time"}


@dataclass(frozen=True, slots=True)
class EventType:
    """One entry of the catalogue. Empty `kinds` or `statuses`: the member is null.

    `days`: days before the deadline on which it is sent, by kind; the key None holds for every kind.
    """

    name: str
    meaning: str
    subject: str
    told: tuple[str, ...]
    kinds: tuple[str, ...]
    statuses: tuple[str, ...]
    reasons: tuple[str, ...]
    has_deadline: bool
    is_planned: bool
    is_mailed_always: bool
    days: Mapping[str | None, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class EventCatalogue:
    """All event types by name, and audit events that lead to none, with the reason."""

    version: str
    types: Mapping[str, EventType]
    internal: Mapping[str, str]
    not_told_to_holder: frozenset[str]
    not_mailed: frozenset[str]


@cache
def load_catalogue() -> EventCatalogue:
    """Return the catalogue that ships with the service."""
    return parse_catalogue((files("app.events") / "events.toml").read_text("utf-8"))


def parse_catalogue(text: str) -> EventCatalogue:
    """Parse the catalogue. Raises `ValueError` where `must_mail` or `dated` names an event that there is not."""
    entries = tomllib.loads(text)
    days: dict[str, dict[str | None, tuple[int, ...]]] = {}
    for name, before in entries["dated"].items():
        event, _, kind = name.partition(":")
        days.setdefault(event, {})[kind or None] = tuple(before)
    types = {
        name: EventType(
            name,
            entry["meaning"],
            group["subject"],
            tuple(group["told"]),
            tuple(entry.get("kind", group.get("kind", ()))),
            tuple(entry.get("status", ())),
            tuple(entry.get("reason", ())),
            entry.get("deadline", False),
            entry.get("planned", False),
            name in entries["must_mail"],
            days.get(name, {}),
        )
        for prefix, group in entries["groups"].items()
        for suffix, entry in group["events"].items()
        for name in (f"{prefix}{SEPARATOR}{suffix}",)
    }
    if unknown := ({*entries["must_mail"]} | days.keys()) - types.keys():
        raise ValueError(f"The catalogue has no event {sorted(unknown)}.")
    matter = entries["groups"]["matter"]
    return EventCatalogue(
        entries["version"],
        types,
        entries["internal"],
        frozenset(matter["not_told_to_holder"]),
        frozenset(matter["not_mailed"]),
    )


def json_schema(event: EventType) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of an event of this type. Members that are not named do not occur."""
    reason = {
        "type": ["object", "null"],
        "description": "code of the closed list, with its name in Azerbaijani and English",
        **_members({"code": {"type": "string"}, "az": {"type": "string"}, "en": {"type": "string"}}),
    }
    data: dict[str, Any] = {
        "status": _one_of(event.statuses, "status of the subject after the event"),
        "kind": _one_of(event.kinds, "kind of the subject, or of the change"),
        "reason": reason if event.reasons else {"type": "null"},
        "deadline": {"type": ["string", "null"], "format": "date-time"} if event.has_deadline else {"type": "null"},
        "certificate": {
            "type": "string" if event.subject == "matter" else "null",
            "description": "number of the certificate that a matter is about",
        },
    }
    subject = {
        "kind": {"const": event.subject},
        "id": {"type": "string", "description": "id, or number of a certificate, as addresses of this API have it"},
        "number": {"type": ["string", "null"], "description": "number of an application or a certificate"},
    }
    return {
        "title": event.name,
        "description": event.meaning,
        **_members(
            {
                "id": {
                    "type": "string",
                    "pattern": "^evt_[0-9]{12,}$",
                    "description": "the same in every delivery; ids sort by the order of commits",
                },
                "type": {"const": event.name},
                "at": _TIME,
                "actor": {
                    "enum": ["company", "staff", "system"],
                    "description": "kind of actor; persons are not named",
                },
                "subject": {"type": "object", **_members(subject)},
                "data": {"type": "object", **_members(data)},
                "log_index": {
                    "type": ["integer", "null"],
                    "minimum": 0,
                    "description": "index of the entry in the public log; null where the act is not logged",
                },
            }
        ),
        "type": "object",
    }


def build_example(event: EventType) -> dict[str, Any]:
    """Return an event of this type as it could be sent."""
    subject_id, number = _EXAMPLE_SUBJECTS.get(event.subject, (_EXAMPLE_ID, None))
    return {
        "id": "evt_000000000042",
        "type": event.name,
        "at": "2026-11-22T17:00:00.000000Z",
        "actor": "staff",
        "subject": {"kind": event.subject, "id": subject_id, "number": number},
        "data": {
            "status": next(iter(event.statuses), None),
            "kind": next(iter(event.kinds), None),
            "reason": _EXAMPLE_REASON if event.reasons else None,
            "deadline": "2026-12-06T20:00:00.000000Z" if event.has_deadline else None,
            "certificate": "MIK-2026-000042-Y" if event.subject == "matter" else None,
        },
        "log_index": 17 if event.subject == "certificate" else None,
    }


def _one_of(values: tuple[str, ...], description: str) -> dict[str, Any]:
    return {"enum": list(values), "description": description} if values else {"type": "null"}


def _members(properties: dict[str, Any]) -> dict[str, Any]:
    return {"properties": properties, "required": list(properties), "additionalProperties": False}
