"""Describe one call of the service, before anything is sent."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import IO, Any, Final, Generic, TypeVar
from urllib.parse import quote

T = TypeVar("T")

Upload = Path | tuple[str, bytes] | tuple[str, IO[bytes]]
"""A file to upload: its path, or its name with its content. An open file must be seekable, for a repetition."""


class Latest(Enum):
    LATEST = "latest"


LATEST: Final = Latest.LATEST
"""Instead of a version: read the present one first. A change that somebody made meanwhile is then not noticed."""

Version = int | str | Latest
"""Version of a resource that a change replaces: its `version`, the ETag of the answer, or `LATEST`."""


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """Hold one call; `T` is the type of its answer, or of one item of its pages.

    `path` has placeholders with their values behind it. `keyed` calls take an idempotency key; `key` is the caller's.
    `repeatable` calls change nothing. `signed` calls need an access token.
    """

    method: str
    path: str | tuple[str, ...]
    signed: bool = False
    query: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str | None] = field(default_factory=dict)
    body: Any = None
    form: Mapping[str, object] | None = None
    files: Mapping[str, Upload | None] = field(default_factory=dict)
    version: Version | None = None
    key: str | None = None
    keyed: bool = False
    repeatable: bool = False
    accept: str = "application/json"

    @property
    def address(self) -> str:
        """Return the path with its values, each as one segment."""
        template, *values = (self.path,) if isinstance(self.path, str) else self.path
        if not template.startswith("/") or template.startswith("//"):
            raise ValueError(f"{template!r} is no path of the service: a token must not reach another host.")
        for value in values:
            if value in {"", ".", ".."}:
                raise ValueError(f"{value!r} cannot be a part of an address: {template}")
            before, _, rest = template.partition("{")
            template = before + quote(value, safe="") + rest.partition("}")[2]
        return template


def query_of(values: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return names and texts of a query or form: without None, a name for each item of a sequence."""
    pairs = []
    for name, value in values.items():
        several = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        pairs += [(name, text_of(each)) for each in several if each is not None]
    return pairs


def text_of(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date | datetime):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False, default=text_of) if isinstance(value, Mapping) else str(value)
