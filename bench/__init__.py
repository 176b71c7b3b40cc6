"""Benchmarks: `make` lists them."""
