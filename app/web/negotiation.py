"""Choosing a representation by `Accept` (RFC 9110 §12.5.1)."""

from collections.abc import Sequence

from starlette.exceptions import HTTPException

from app.core.messages import Message


def best(accept: str | None, offered: Sequence[str]) -> str:
    """The offered media type that is wanted most; the first one where nothing is said. 406 where none is acceptable."""
    if accept is None or not accept.strip():
        return offered[0]
    ranges = [_range(part) for part in accept.split(",") if part.strip()]
    chosen, quality = None, 0.0
    for media_type in offered:
        wanted = _quality(media_type, ranges)
        if wanted > quality:
            chosen, quality = media_type, wanted
    if chosen is None:
        detail = Message("Offered are: %(allowed)s.", allowed=list(offered))
        raise HTTPException(406, detail, headers={"Vary": "Accept"})
    return chosen


def _range(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                return name, min(1.0, max(0.0, float(value)))
            except ValueError:
                return name, 0.0
    return name, 1.0


def _quality(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    """The most specific range decides."""
    main = media_type.partition("/")[0]
    for form in (media_type, f"{main}/*", "*/*"):
        for name, quality in ranges:
            if name == form:
                return quality
    return 0.0
