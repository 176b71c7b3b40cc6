"""The registry: its records, and how functions read them; `importing` makes its items of files."""
