"""Render the HTML part of a mail: the same facts as the plain part. Pure.

Programs that show mail load nothing for it: styles are in the document, and there is no picture.
"""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from urllib.parse import urlsplit

from jinja2 import Environment, StrictUndefined, Template

from app.notifications.notice_texts import MARK_NAME
from app.notifications.texts import MailBlock, subject_of


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string((files("app.notifications") / "mail.html").read_text("utf-8"))


def to_html(blocks: Sequence[MailBlock], service: str) -> str:
    """Return the HTML part. `service` is the address of the service, which the end of the mail names."""
    return _template().render(
        blocks=blocks, title=subject_of(blocks), mark=MARK_NAME, service=service, host=urlsplit(service).netloc
    )
