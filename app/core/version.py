"""The version of the service, from the metadata of the installed package: pyproject.toml is where it is written."""

from importlib.metadata import version

VERSION = version("made-in-karabakh")
