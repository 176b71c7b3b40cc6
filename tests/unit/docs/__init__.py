"""The documents name only what exists."""
