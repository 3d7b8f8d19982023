"""The version of the service, read from the metadata of the installed package (`pyproject.toml`)."""

from importlib.metadata import version

VERSION = version("made-in-karabakh")
