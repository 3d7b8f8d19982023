"""Words of pages that stand in Python."""


def _(text: str) -> str:
    """Marks an English text for the catalogues (`app/locales`); it is translated where it is shown, by `_` there."""
    return text
