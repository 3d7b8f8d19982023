"""Render the HTML part of a mail: the same facts as the plain part. Pure.

Programs that show mail load nothing for it: styles are in the document, and there is no picture.
"""

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from urllib.parse import urlsplit

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from app.notifications.notice_texts import MARK_NAME
from app.notifications.texts import MailBlock, subject_of

_NUMBER = re.compile(r"\b([A-Z]{2,6}(?:-[A-Z])?-[0-9]{4}-[0-9A-Z]+(?:-[0-9A-Z])?)\b")


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["whole_numbers"] = _keep_numbers_whole
    return environment.from_string((files("app.notifications") / "mail.html").read_text("utf-8"))


def _keep_numbers_whole(text: str) -> Markup:
    """Escape a text; numbers of certificates and applications are not broken at their hyphens."""
    number = Markup('<span style="white-space:nowrap">{}</span>')
    parts = _NUMBER.split(text)  # every second one is a number
    return Markup("").join(number.format(part) if index % 2 else escape(part) for index, part in enumerate(parts))


def to_html(blocks: Sequence[MailBlock], service: str) -> str:
    """Return the HTML part. `service` is the address of the service, which the end of the mail names."""
    return _template().render(
        blocks=blocks, title=subject_of(blocks), mark=MARK_NAME, service=service, host=urlsplit(service).netloc
    )
