"""Serve the same answers by other programs: nginx from files, Fastify from the same rows of PostgreSQL.

Fastify is installed when it is measured, in the exact versions of `fastify/package.json`.
"""

import getpass
import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from app.certificates.read_model.snapshot import BODY_VERSION
from app.commit_pipeline import open_database
from app.core.crypto.pem_files import load_or_create_secret
from app.signing.issuer_identity import load_public_keys
from benchmarks import in_process
from benchmarks.datasets import BASE_URL, Dataset
from benchmarks.servers import Server, free_port, running

FASTIFY = Path(__file__).with_name("fastify")
_NGINX = """
daemon off;
worker_processes 1;
user %(user)s;
pid %(folder)s/nginx.pid;
error_log stderr warn;
events { worker_connections 1024; }
http {
  access_log off;
  default_type application/json;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  open_file_cache max=100000 inactive=1h;
  open_file_cache_valid 1h;
  client_body_temp_path %(folder)s/t1; proxy_temp_path %(folder)s/t2; fastcgi_temp_path %(folder)s/t3;
  uwsgi_temp_path %(folder)s/t4; scgi_temp_path %(folder)s/t5;
  server {
    listen 127.0.0.1:%(port)s;
    root %(folder)s/files;
    add_header Cache-Control no-cache;
  }
}
"""


class NotInstalled(Exception):
    """A program to compare with is not on this machine, or cannot be installed."""


@contextmanager
def nginx(dataset: Dataset, numbers: Sequence[str], folder: Path) -> Iterator[Server]:
    """Serve the answers of these numbers as files, by one worker. Raises `NotInstalled`."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        raise NotInstalled("nginx is not installed")
    files = folder / "nginx" / "files" / "v1" / "verify"
    files.mkdir(parents=True)
    for number, (_, body, _) in zip(numbers, in_process.render_all(dataset, numbers), strict=True):
        (files / number).write_bytes(body)
    port, config = free_port(), folder / "nginx" / "nginx.conf"
    config.write_text(_NGINX % {"user": getpass.getuser(), "folder": folder / "nginx", "port": port})
    command = [program, "-c", str(config), "-p", str(folder / "nginx")]
    with running("nginx", command, {}, folder, port=port, ready=f"/v1/verify/{numbers[0]}") as server:
        yield server


@contextmanager
def fastify(dataset: Dataset, number: str, folder: Path) -> Iterator[Server]:
    """Serve any number from its row, by one process. Raises `NotInstalled`."""
    home = folder / "fastify"
    shutil.copytree(FASTIFY, home, ignore=shutil.ignore_patterns("node_modules", "package-lock.json"))
    try:
        subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"],  # noqa: S607 (from PATH)
            cwd=home, check=True, capture_output=True, timeout=180,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as why:
        raise NotInstalled(f"Fastify cannot be installed by npm ({why.__class__.__name__})") from why
    database = open_database(dataset.url)
    with database.read_session() as session:
        kids = list(load_public_keys(session))
    database.dispose()
    port = free_port()
    environment = {
        "PORT": str(port),
        "DATABASE_URL": dataset.url.replace("postgresql+psycopg://", "postgresql://"),
        "SNAPSHOT_SECRET": load_or_create_secret(dataset.settings.snapshots_key).hex(),
        "SNAPSHOT_CONTEXT": f"certificate snapshot {BODY_VERSION}\n{BASE_URL}\n{True}",
        "GOOD_KEYS": json.dumps(kids),
        "NODE_ENV": "production",
    }
    command = ["node", "server.js"]
    with running("fastify", command, environment, folder, port=port, ready=f"/v1/verify/{number}", cwd=home) as server:
        yield server
