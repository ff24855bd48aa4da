"""Turns what pydantic found into sentences that name the place and the next step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from shopfloor.plant.config.document import Document
from shopfloor.plant.config.section import NAME
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
    "greater_than": "expected more than {gt:.15g}",
    "greater_than_equal": "expected {ge:.15g} or more",
    "less_than": "expected less than {lt:.15g}",
    "less_than_equal": "expected {le:.15g} or less",
    "too_long": "at most {max_length} were expected",
    "string_too_short": "a text of at least {min_length} characters was expected",
    "string_pattern_mismatch": "expected text of the form {pattern}",
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
    if path in document.unread:
        return
    match error["type"]:
        case "extra_forbidden":
            hint = expectation(str(path[-1]), _known_keys(model, inner[:-1]))
            document.blame(path, f"{path[-1]!r} is no key of {document.place(path[:-1])}: {hint}", key=True)
        case "missing":
            _note_missing(document, model, path, inner)
        case "value_error":
            what, colon, hint = str(error["ctx"]["error"]).partition(": ")
            document.blame(path, f"{what} in {document.place(path)}{colon}{hint}")
        case "too_short":
            _note_short(document, path, error)
        case _:
            document.blame(path, f"{shown(error['input'])} stands in {document.place(path)}: {_expected(error)}")


def _note_missing(document: Document, model: type[BaseModel], path: Path, inner: Path) -> None:
    parent = document.place(path[:-1])
    if isinstance(path[-1], int):
        document.blame(
            path[:-1], f"the list in {parent} has no item {path[-1] + 1}{_meaning(model, inner[:-1])}: add it"
        )
    else:
        document.blame(
            path[:-1], f"{path[-1]!r} is missing in {parent}: add '{path[-1]}: …'{_meaning(model, inner)}", key=True
        )


def _note_short(document: Document, path: Path, error: ErrorDetails) -> None:
    """Items that are wrong themselves do not count for pydantic, so the length is looked at again."""
    least = error["ctx"]["min_length"]
    if len(error["input"]) < least:
        said = "is empty" if not error["input"] else f"has {len(error['input'])}"
        document.blame(path, f"{document.place(path)} {said}: at least {least} was expected")


def _expected(error: ErrorDetails) -> str:
    context = error.get("ctx", {})
    if context.get("pattern") == NAME:
        return "expected up to 63 letters, digits, '.', '_' and '-'"
    return _EXPECTED[error["type"]].format(**context) if error["type"] in _EXPECTED else error["msg"]


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
        elif i == len(loc) - 1 and isinstance(here, Mapping | list):
            path.append(step)
    return tuple(path)


def shown(value: Any) -> str:
    """A value of a plant file as a sentence shows it.

    >>> shown(True), shown([1, 2]), shown("x")
    ("'true'", 'a list of 2', "'x'")
    """
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
