"""The TypeScript client: its types from docs/openapi.json, and its build. `--write` writes the types anew."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.interop.helpers import ENVIRONMENT, FOLDER, NODE, install

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "clients" / "typescript"
TYPES = CLIENT / "src" / "api.ts"
HEAD = "// Written from docs/openapi.json by `python -m tests.clients.typescript --write`. Refusals are `ApiError`s.\n"


def generated_types():
    """The types of requests and successful answers; those of refusals would be six times as long and say nothing."""
    document = json.loads((ROOT / "docs" / "openapi.json").read_text("utf-8"))
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"] = {
                status: answer for status, answer in operation["responses"].items() if status[0] == "2"
            }
    install()
    with tempfile.TemporaryDirectory() as folder:
        slim, types = Path(folder) / "openapi.json", Path(folder) / "api.ts"
        slim.write_text(json.dumps(document), "utf-8")
        run(FOLDER / "node_modules" / "openapi-typescript" / "bin" / "cli.js", slim, "-o", types)
        return HEAD + types.read_text("utf-8")


def build(folder):
    """The compiled client and its examples, strictly typed, below that folder."""
    install()
    run(FOLDER / "node_modules" / "typescript" / "bin" / "tsc", "-p", CLIENT, "--outDir", folder)
    (folder / "package.json").write_text('{"type": "module"}', "utf-8")
    return folder


def run(*command, **more):
    ended = subprocess.run(
        [NODE, *command], env=ENVIRONMENT | more, capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


if __name__ == "__main__":
    if "--write" in sys.argv:
        TYPES.write_text(generated_types(), "utf-8")
        sys.stdout.write(f"{TYPES} is written.\n")
