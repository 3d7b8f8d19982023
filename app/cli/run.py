"""Start the service, run the demo against it, and serve until Ctrl-C (`make run`)."""

import argparse
import os
import signal
import socket
import subprocess
import sys


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    port = parser.parse_args().port
    if _in_use(port):
        sys.stderr.write(f"Port {port} is in use on this machine. Choose another one: make run PORT={port + 1}\n")
        return 2
    environment = {"MIK_BASE_URL": f"http://localhost:{port}", **os.environ}
    mik = [sys.executable, "-m", "app.cli"]
    server = subprocess.Popen([*mik, "serve", "--port", str(port)], env=environment)  # noqa: S603 (a fixed command)
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    try:
        played = subprocess.run([*mik, "demo"], env=environment, check=False)  # noqa: S603 (a fixed command)
        if played.returncode or server.poll() is not None:
            return played.returncode or 1
        sys.stdout.write(f"\nServing on http://localhost:{port} – the reference is at /docs. Ctrl-C ends it.\n")
        sys.stdout.flush()
        return server.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        server.terminate()
        server.wait()


def _in_use(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    sys.exit(main())
