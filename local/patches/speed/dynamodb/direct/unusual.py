"""Leaves a call to moto."""


class UnusualCallError(Exception):
    """Raised before anything was written, for a call that moto answers: a fault, or a rare feature."""
