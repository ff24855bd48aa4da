"""Write `plant-file.md` from the models of the plant file: `make docs`."""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from shopfloor.plant.config import PlantFile

PAGE = Path(__file__).with_name("plant-file.md")
KINDS = ("opcua", "mqtt", "modbus", "sparkplug", "recording")
WORDS = {str: "text", float: "number", int: "whole number", bool: "true or false", dict: "keys and values"}
HEAD = """\
# The plant file

One YAML file describes a plant. `shopfloor check plant.yaml` reads it and names every mistake with its line.
`services/shopfloor/services/plants/demo.yaml` is a complete one; `deploy/plants` holds smaller ones.

Durations are written as `200ms`, `5s`, `2min`, `1h`, `7d` or `2w`; sizes as `500MB`, `2GB` or `64MiB`.
`${NAME}` in a value is replaced by an environment variable, `${NAME:-default}` by its default when there is none.
`[01..10]` in the path and title of an asset counts through. Passwords and tokens stand in files of their own.

This page is made by `make docs` from the models that check the file.
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD, *(section(name, model) for name, model in _sections("", PlantFile))]
    for kind in KINDS:
        model = import_module(f"shopfloor.gateway.{kind}").CONNECTOR.options
        parts += [section(name, each) for name, each in _sections(f"sources[] (kind: {kind})", model)]
    return "\n".join(parts)


def _sections(name: str, model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    yield name, model
    for key, field in model.model_fields.items():
        for inner, suffix in _models(field.annotation):
            yield from _sections(f"{name}.{key}{suffix}".lstrip("."), inner)


def _models(annotation: Any, suffix: str = "") -> Iterator[tuple[type[BaseModel], str]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, suffix
    origin = get_origin(annotation)
    mark = {dict: ".<name>", tuple: "[]", list: "[]"}.get(origin, "") if origin else ""
    for argument in get_args(annotation):
        yield from _models(argument, suffix + mark)


def section(name: str, model: type[BaseModel]) -> str:
    """One table: the keys of a section."""
    lines = [f"## `{name}`" if name else "## The file", "", (model.__doc__ or "").strip().splitlines()[0], ""]
    lines += ["| key | value | default | meaning |", "|---|---|---|---|"]
    lines += [_row(key, field) for key, field in model.model_fields.items()]
    return "\n".join([*lines, ""])


def _row(key: str, field: FieldInfo) -> str:
    cells = (f"`{key}`", _kind(field), _default(field), field.description or "")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _kind(field: FieldInfo) -> str:
    special = _written(field.metadata)
    return special.pop() if special else " or ".join(dict.fromkeys(_words(field.annotation)))


def _written(metadata: Iterable[Any]) -> set[str]:
    """Whether people write it with a unit, by who reads it."""
    readers = {getattr(getattr(item, "func", None), "__name__", "").removeprefix("_") for item in metadata}
    return readers & {"duration", "size"}


def _words(annotation: Any) -> Iterator[str]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation in WORDS:
        yield WORDS[annotation]
    elif origin is Annotated:
        yield from _written(arguments[1:]) or _words(arguments[0])
    elif origin is Literal:
        yield from (f"`{value}`" for value in arguments)
    elif origin in {Union, types.UnionType}:
        for argument in arguments:
            yield from _words(argument)
    elif isinstance(annotation, type) and issubclass(annotation, Enum):
        yield from (f"`{member.value}`" for member in annotation)
    elif origin in {list, tuple}:
        yield "list"
    elif origin is dict or (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        yield "keys and values"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**needed**"
    value = field.default
    if value is None or value in ("", (), {}) or field.default_factory is not None:
        return ""
    if isinstance(value, tuple):
        value = f"[{', '.join(str(item) for item in value)}]"
    shown = value.value if isinstance(value, Enum) else str(value).lower() if isinstance(value, bool) else value
    return f"`{shown}`"


if __name__ == "__main__":
    PAGE.write_text(page())
