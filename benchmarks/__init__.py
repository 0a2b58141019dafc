"""The same work in this project and its peers, in one run: `python -m benchmarks`."""
