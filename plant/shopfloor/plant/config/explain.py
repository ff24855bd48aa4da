"""Turns what pydantic found into sentences that name the place and the next step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from shopfloor.plant.config.document import Document
from shopfloor.plant.config.words import Path, expectation

Model = TypeVar("Model", bound=BaseModel)

_EXPECTED: Final = {
    "string_type": "text was expected",
    "int_type": "a whole number was expected",
    "int_parsing": "a whole number was expected",
    "int_from_float": "a whole number was expected",
    "float_type": "a number was expected",
    "float_parsing": "a number was expected",
    "finite_number": "a finite number was expected",
    "bool_type": "true or false was expected",
    "bool_parsing": "true or false was expected",
    "list_type": "a list was expected",
    "tuple_type": "a list was expected",
    "dict_type": "keys and values were expected",
    "model_type": "keys and values were expected",
    "model_attributes_type": "keys and values were expected",
    "literal_error": "expected {expected}",
    "enum": "expected {expected}",
    "greater_than": "expected more than {gt:g}",
    "greater_than_equal": "expected {ge:g} or more",
    "less_than": "expected less than {lt:g}",
    "less_than_equal": "expected {le:g} or less",
    "too_short": "at least {min_length} was expected",
    "too_long": "at most {max_length} were expected",
    "string_too_short": "a text of at least {min_length} characters was expected",
    "string_pattern_mismatch": "expected letters, digits, '.', '_' and '-'",
}


def validate(document: Document, model: type[Model], path: Path, data: Any) -> Model | None:
    """Validate a part of a document; problems are noted in it and None is the answer."""
    try:
        return model.model_validate(data)
    except ValidationError as problem:
        for error in problem.errors(include_url=False):
            _note(document, model, path, data, error)
        return None


def _note(document: Document, model: type[BaseModel], base: Path, data: Any, error: ErrorDetails) -> None:
    inner = _walk(error["loc"], data)
    path = base + inner
    where = document.place(path)
    match error["type"]:
        case "extra_forbidden":
            known = _known_keys(model, inner[:-1])
            parent = document.place(path[:-1])
            document.blame(path, f"{path[-1]!r} is no key of {parent}: {expectation(str(path[-1]), known)}", key=True)
        case "missing":
            parent = document.place(path[:-1])
            document.blame(
                path[:-1], f"{path[-1]!r} is missing in {parent}: add '{path[-1]}: …'{_meaning(model, inner)}", key=True
            )
        case "value_error":
            what, colon, hint = str(error["ctx"]["error"]).partition(": ")
            document.blame(path, f"{what} in {where}{colon}{hint}")
        case kind:
            expected = _EXPECTED[kind].format(**error.get("ctx", {})) if kind in _EXPECTED else error["msg"]
            document.blame(path, f"{_shown(error['input'])} stands in {where}: {expected}")


def _walk(loc: tuple[str | int, ...], data: Any) -> Path:
    """The steps of a location that exist in the data (unions add steps that do not), and always the last."""
    path: list[str | int] = []
    here = data
    for i, step in enumerate(loc):
        inside = (isinstance(here, Mapping) and step in here) or (
            isinstance(here, list) and isinstance(step, int) and step < len(here)
        )
        if inside:
            here = here[step]
            path.append(step)
        elif i == len(loc) - 1 and isinstance(here, Mapping):
            path.append(step)
    return tuple(path)


def _shown(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return repr(str(value).lower())
        case dict():
            return "a group of keys"
        case list():
            return f"a list of {len(value)}"
        case _:
            text = repr(value) if isinstance(value, str) else f"'{value}'"
            return text if len(text) <= 60 else f"{text[:57]}…'"


def _known_keys(model: type[BaseModel], inner: Path) -> list[str]:
    return sorted({key for found in _models_at(model, inner) for key in _keys(found)})


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _meaning(model: type[BaseModel], inner: Path) -> str:
    for found in _models_at(model, inner[:-1]):
        for name, field in found.model_fields.items():
            if (field.alias or name) == inner[-1] and field.description:
                text = field.description.rstrip(".")
                return f" ({text[0].lower()}{text[1:]})"
    return ""


def _models_at(annotation: Any, path: Path) -> Iterator[type[BaseModel]]:
    """The models that may stand at a path below an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not path:
            yield annotation
            return
        for name, field in annotation.model_fields.items():
            if (field.alias or name) == path[0]:
                yield from _models_at(field.annotation, path[1:])
        return
    container = get_origin(annotation) in {dict, list, tuple}
    for argument in get_args(annotation):
        yield from _models_at(argument, path[1:] if container and path else path)
