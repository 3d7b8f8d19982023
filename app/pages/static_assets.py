"""Serve styles, scripts and images of the pages under an address that contains a hash of their content.

All files share one version, because scripts import each other by relative addresses. An address of another version
(of a page that was open during an update) gets the current file, which clients must not cache.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.core.errors import NotFound
from app.web.headers import not_modified

_MEDIA_TYPES: Mapping[str, str] = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_IMMUTABLE_CACHE: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    content: bytes
    compressed: bytes
    media_type: str


@cache
def _load_assets() -> Mapping[str, Asset]:
    """Load and compress the files, in the order of their names; once per process, because compression is slow."""
    found = {}
    folder = resources.files("app.pages").joinpath("static")
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        media_type = _MEDIA_TYPES.get(file.name.rpartition(".")[2])
        if media_type is not None:
            content = file.read_bytes()
            found[file.name] = Asset(content, gzip.compress(content, 9, mtime=0), media_type)
    return found


class Assets:
    """The files of `app/pages/static` with a supported extension; notes and licences are not served."""

    def __init__(self) -> None:
        self._files = _load_assets()
        digest = hashlib.sha256()
        for name, asset in self._files.items():
            digest.update(name.encode() + b"\0" + asset.content)
        self.version = digest.hexdigest()[:12]

    def address(self, name: str) -> str:
        """Return the address of a file. Raises KeyError for an unknown file, which a template names by mistake."""
        self._files[name]
        return f"/static/{self.version}/{name}"

    def route(self) -> Route:
        return Route("/static/{version}/{name}", self._serve, methods=["GET"])

    async def _serve(self, request: Request) -> Response:
        asset = self._files.get(request.path_params["name"])
        if asset is None:
            raise NotFound.of("file")
        cache_control = _IMMUTABLE_CACHE if request.path_params["version"] == self.version else "no-cache"
        headers = {"ETag": f'"{self.version}"', "Cache-Control": cache_control, "Vary": "Accept-Encoding"}
        if unchanged := not_modified(request, headers):
            return unchanged
        if "gzip" in request.headers.get("accept-encoding", "").lower():
            return Response(
                asset.compressed, headers=headers | {"Content-Encoding": "gzip"}, media_type=asset.media_type
            )
        return Response(asset.content, headers=headers, media_type=asset.media_type)
