"""Render notices of events in az, en and ru from one table of texts, `notice_texts.toml`. Pure."""

import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from babel.dates import format_date

from app.core.dates import baku_day

NOTICE_LANGUAGES = ("az", "en", "ru")
MARK_NAME = "Made in Karabakh"
"""As the picture of the mark has it, in every language."""
SETTINGS_PATH = "/v1/me/notification-settings"
Lines = tuple[str, ...]
ByLanguage = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class NoticeTable:
    """`notices`: event and case (or None) → language → subject and sentences."""

    notices: Mapping[tuple[str, str | None], Mapping[str, Lines]]
    links: Mapping[str, str]
    open: Mapping[str, ByLanguage]
    why: Mapping[str, ByLanguage]
    change: Mapping[str, ByLanguage]
    matter_kinds: Mapping[str, ByLanguage]
    reasons_ru: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class NoticeText:
    """One notice in one language; `path` is the page of the thing, beginning with `/`."""

    subject: str
    sentences: Lines
    path: str
    action: str


@cache
def load_notice_table() -> NoticeTable:
    """Return the table that ships with the service."""
    return parse_notice_table((files("app.notifications") / "notice_texts.toml").read_text("utf-8"))


def parse_notice_table(text: str) -> NoticeTable:
    entries = tomllib.loads(text)
    notices = {
        (entry["event"], entry.get("case")): {language: tuple(entry[language]) for language in NOTICE_LANGUAGES}
        for entry in entries["notices"]
    }
    frame = entries["frame"]
    return NoticeTable(
        notices,
        entries["links"],
        frame["open"],
        frame["why"],
        frame["change"],
        entries["matter_kinds"],
        entries["reasons_ru"],
    )


def render_notice(event: Mapping[str, Any], language: str) -> NoticeText:
    """Render an event, as `PublicEvent.to_dict` gives it. Raises `KeyError` for a type or case without a text."""
    table = load_notice_table()
    data, subject = event["data"], event["subject"]
    subject_line, *sentences = _find(table, event["type"], data["kind"], data["status"])[language]
    values = {
        "number": subject["number"],
        "certificate": data["certificate"],
        "scheme": subject["id"].partition("/")[0],
        "kind": table.matter_kinds[data["kind"]][language] if subject["kind"] == "matter" else None,
        "reason": _reason(table, data["reason"], language),
        "deadline": _last_day(data["deadline"], language),
    }
    group = subject["kind"] if subject["kind"] in table.links else "other"
    return NoticeText(
        subject_line.format_map(values),
        tuple(each.format_map(values) for each in sentences if _has_all(each, values)),
        table.links.get(group, "/").format_map(values),
        table.open[group][language],
    )


def render_frame(audience: str, company: str, settings: str, language: str, *, is_always: bool) -> Lines:
    """Say why somebody gets a mail, and how to change it. `settings`: address of the notification settings."""
    table = load_notice_table()
    change = table.change["always" if is_always else "optional"][language]
    return table.why[audience][language].format(company=company), change.format(settings=settings)


def _find(table: NoticeTable, event_type: str, *cases: str | None) -> Mapping[str, Lines]:
    for case in (*cases, None):
        if (found := table.notices.get((event_type, case))) is not None:
            return found
    raise KeyError(f"There is no text for {event_type} {cases}.")


def _has_all(sentence: str, values: Mapping[str, str | None]) -> bool:
    return all(name is None or values[name] is not None for _, name, _, _ in string.Formatter().parse(sentence))


def _reason(table: NoticeTable, reason: Mapping[str, str] | None, language: str) -> str | None:
    """Return the reason in words; None for a code of no list, whose names are the code."""
    if reason is None or reason["az"] == reason["code"]:
        return None
    return table.reasons_ru.get(reason["code"]) if language == "ru" else reason[language]


def _last_day(deadline: str | None, language: str) -> str | None:
    """Return the last day of a deadline, which is exclusive, in Baku: `6 December 2026`."""
    if deadline is None:
        return None
    return format_day(baku_day(datetime.fromisoformat(deadline) - timedelta(microseconds=1)), language)


def format_day(day: date, language: str) -> str:
    return format_date(day, "d MMMM y", locale=language)
