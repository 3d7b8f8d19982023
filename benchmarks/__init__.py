"""Measure the speed of the service beside a bare server: `make bench`, or `python -m benchmarks --quick`."""
