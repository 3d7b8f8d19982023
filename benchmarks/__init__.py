"""How fast the service is, beside what the bare server can do: `make bench`, or `python -m benchmarks --quick`."""
