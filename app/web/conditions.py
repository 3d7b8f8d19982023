"""Conditional requests (RFC 9110 §13)."""


def matches(if_none_match: str | None, tag: str) -> bool:
    """Whether the caller has this representation: weak comparison with any of a list, or `*`."""
    if if_none_match is None:
        return False
    return any(each.strip().removeprefix("W/") in {tag, "*"} for each in if_none_match.split(","))
