"""Fills the templates of texts that are not HTML: a form beside the code that gives it its values."""

from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def filled(file: Path, filters: dict[str, Callable[..., str]], **values: object) -> str:
    """Returns the text of a template. Raises jinja2's `UndefinedError` for a value that is missing."""
    templates = Environment(  # noqa: S701  # plain text: each template escapes as its own format asks
        loader=FileSystemLoader(file.parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters.update(filters)
    return templates.get_template(file.name).render(**values)
