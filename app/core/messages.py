"""Define English messages that can be translated, with their values as data. Pure.

    Message("This is longer than %(limit)s characters.", code="too-long", limit=100)

A `Message` is the English text. It also carries the template, which is the key of the catalogues
(`app/locales/*/problems.po`), and the values, which a problem document gives as members of their own. After adding one
run `python -m tests.pages.strings --write` and translate the new entries.
"""

from collections.abc import Mapping, Sequence
from gettext import NullTranslations
from typing import Any, Self


class Message(str):  # noqa: SLOT000 (a handful in a request)
    """`code` is stable and names the type of fault; `many` is the plural template, chosen by the value `count`."""

    key: str
    many: str | None
    code: str | None
    values: Mapping[str, Any]

    def __new__(cls, key: str, /, *, many: str | None = None, code: str | None = None, **values: Any) -> Self:
        message = super().__new__(cls, _fill_in(_render_english(key, many, values), values, NullTranslations()))
        message.key, message.many, message.code, message.values = key, many, code, values
        return message

    def translated(self, catalogue: NullTranslations) -> str:
        """Return the message in the language of the catalogue; in English where the catalogue lacks it."""
        if self.many is None:
            text = catalogue.gettext(self.key)
        else:
            text = catalogue.ngettext(self.key, self.many, self.values["count"])
        return _fill_in(text, self.values, catalogue)


def to_message(text: str) -> Message:
    """Return the text itself if it is a message, else a message without values."""
    return text if isinstance(text, Message) else Message(text)


def to_value_message(value: object) -> Message:
    """Return the word for a value of a closed list, such as a state or a role."""
    return Message(str(value).replace("_", " "))


def join_alternatives(values: Sequence[str]) -> str:
    """Join the alternatives with commas and “or”."""
    *others, last = values
    return Message("%(others)s or %(last)s", others=others, last=last) if others else last


def localise(value: Any, catalogue: NullTranslations) -> Any:
    """Translate every message inside a JSON value."""
    if isinstance(value, Message):
        return value.translated(catalogue)
    if isinstance(value, Mapping):
        return {name: localise(each, catalogue) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [localise(each, catalogue) for each in value]
    return value


def _render_english(key: str, many: str | None, values: Mapping[str, Any]) -> str:
    return key if many is None or values["count"] == 1 else many


def _fill_in(text: str, values: Mapping[str, Any], catalogue: NullTranslations) -> str:
    if not values:
        return text
    return text % {name: _join_list(localise(value, catalogue)) for name, value in values.items()}


def _join_list(value: Any) -> Any:
    """Join a list with commas; return any other value unchanged."""
    return ", ".join(map(str, value)) if isinstance(value, list) else value


DATE_EXPECTED = Message("Enter a date as YYYY-MM-DD, such as 2026-11-22.", code="invalid-date")
DECIMAL_EXPECTED = Message("Enter a number, best as text such as “12.50”.", code="not-a-number")
