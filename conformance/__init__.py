"""Checks of the API by tools that are not ours; `python -m conformance` runs them, `make conformance` all of them."""
