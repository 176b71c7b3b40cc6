"""Measures the identity look-up: round trips and time, for each MPI client."""
