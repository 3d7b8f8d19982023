"""What `make dev` does: serve in the demo profile and restart when a file of `app/` changes."""

import argparse

from app.cli import serve


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    serve.start("127.0.0.1", parser.parse_args().port, reload=True)


if __name__ == "__main__":
    main()
