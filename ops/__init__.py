"""`ens`, the operator's command line."""

__version__ = "0.1.0"
"""The version of hl7-ens: `ens --version` and pyproject.toml read it here."""
