"""Write the OpenAPI document to docs/openapi.json, so that review shows a change of the API."""

import json
import sys
import tempfile
from pathlib import Path

from fastapi import FastAPI

from app.bootstrap import prepare
from app.core.dates import utc_now
from app.core.settings import Settings
from app.main import create_app

DOCUMENT = Path(__file__).parents[1] / "docs" / "openapi.json"


def text_of(app: FastAPI) -> str:
    """Return the app's document with sorted members and a server address that holds for every installation."""
    document = app.openapi() | {"servers": [{"url": "/"}]}
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def main() -> None:
    """Start the service over an empty database in a temporary folder and write its document."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), database_url=f"sqlite:///{folder}/mik.sqlite3")
        prepare(settings, utc_now())
        DOCUMENT.write_text(text_of(create_app(settings)), "utf-8")
    sys.stdout.write(f"{DOCUMENT} is written.\n")


if __name__ == "__main__":
    main()
