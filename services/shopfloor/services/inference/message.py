"""Requests and answers of the Open Inference Protocol: a JSON object, and behind it the bytes of tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from shopfloor.services.inference.refusal import InferenceRefused
from shopfloor.services.inference.tensors import BYTES, DTYPES, Array, datatype_of, from_bytes, from_json, to_bytes

HEADER: Final = "Inference-Header-Content-Length"
EXTENSION: Final = "binary_tensor_data"
Parameters = dict[str, Any]
_MOST_TENSORS: Final = 5_000


class Input(msgspec.Struct):
    """An input tensor as it is written: its data stay JSON until its datatype is known."""

    name: str
    shape: list[int]
    datatype: str
    parameters: Parameters = {}
    data: msgspec.Raw = msgspec.Raw()


class Output(msgspec.Struct):
    """An output tensor that is asked for."""

    name: str
    parameters: Parameters = {}


class Written(msgspec.Struct):
    """The JSON object of a request."""

    inputs: list[Input]
    outputs: list[Output] = []
    parameters: Parameters = {}
    id: str | None = None


class Request(msgspec.Struct):
    """A request: tensors by name; which outputs it wants (none: all), and which of them as bytes."""

    tensors: dict[str, Array]
    outputs: list[str]
    binary: dict[str, bool]
    all_binary: bool
    id: str | None


def read(body: bytes, header: str | None = None) -> Request:
    """A request from its body and the header that says how much of it is JSON; raises `InferenceRefused`.

    >>> text = b'{"inputs": [{"name": "load", "shape": [2], "datatype": "FP32", "data": [1, 2]}]}'
    >>> read(text).tensors["load"].tolist()
    [1.0, 2.0]
    """
    size = _size(header, len(body))
    written = _written(body[:size])
    if len(written.inputs) > _MOST_TENSORS:
        raise InferenceRefused(f"The request has {len(written.inputs)} inputs: at most {_MOST_TENSORS} are read.")
    return Request(
        _tensors(written.inputs, memoryview(body)[size:]),
        [output.name for output in written.outputs],
        {o.name: bool(o.parameters["binary_data"]) for o in written.outputs if "binary_data" in o.parameters},
        bool(written.parameters.get("binary_data_output", False)),
        written.id,
    )


def write(request: Request, said: Mapping[str, Any], tensors: Mapping[str, Array]) -> tuple[bytes, dict[str, str]]:
    """An answer's body and its headers. `said` goes before the outputs."""
    outputs, parts = [], []
    for name, array in tensors.items():
        output = {"name": name, "datatype": datatype_of(array), "shape": list(array.shape)}
        if request.binary.get(name, request.all_binary):
            parts.append(to_bytes(array))
            outputs.append({**output, "parameters": {"binary_data_size": len(parts[-1])}})
        else:
            outputs.append({**output, "data": array.ravel().tolist()})
    identity = {} if request.id is None else {"id": request.id}
    text = msgspec.json.encode({**said, **identity, "outputs": outputs})
    return b"".join([text, *parts]), ({HEADER: str(len(text))} if parts else {})


def _size(header: str | None, whole: int) -> int:
    if header is None:
        return whole
    if not header.isdecimal() or int(header) > whole:
        raise InferenceRefused(
            f"{HEADER} is {header!r:.40}: expected the number of bytes of the JSON, at most the {whole} of the body."
        )
    return int(header)


def _written(text: bytes) -> Written:
    try:
        return msgspec.json.decode(text, type=Written)
    except msgspec.ValidationError as problem:
        raise InferenceRefused(
            f"The request is not as the protocol says: {str(problem)[:1].lower()}{str(problem)[1:200]}."
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise InferenceRefused(f"The request is no JSON ({str(problem)[:200]}): see docs/inference.md.") from None


def _tensors(inputs: Sequence[Input], rest: memoryview) -> dict[str, Array]:
    found: dict[str, Array] = {}
    for one in inputs:
        if one.name in found:
            raise InferenceRefused(f"The input {one.name!r:.80} comes twice: send it once.")
        _check(one)
        found[one.name], rest = _tensor(one, rest)
    if len(rest):
        raise InferenceRefused(f"{len(rest)} bytes are behind the tensors: each belongs to a binary_data_size.")
    return found


def _check(one: Input) -> None:
    if one.datatype not in DTYPES and one.datatype != BYTES:
        known = ", ".join([*DTYPES, BYTES])
        raise InferenceRefused(f"The input {one.name!r:.80} is {one.datatype!r:.40}: expected one of {known}.")
    if not 1 <= len(one.shape) <= 2 or any(not 0 <= length < 2**31 for length in one.shape):
        raise InferenceRefused(
            f"The input {one.name!r:.80} has the shape {one.shape!s:.80}: expected are rows, [n] or [n, features]."
        )


def _tensor(one: Input, rest: memoryview) -> tuple[Array, memoryview]:
    size, data = one.parameters.get("binary_data_size"), bytes(one.data)
    has_data = data not in (b"", b"null")
    if (size is not None) == has_data:
        raise InferenceRefused(
            f"The input {one.name!r:.80} needs its data, or binary_data_size for bytes: one of them."
        )
    if has_data:
        return from_json(data, one.datatype, one.shape, one.name), rest
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= len(rest):
        raise InferenceRefused(
            f"The binary_data_size {size!r:.40} of the input {one.name!r:.80} is more than the {len(rest)} bytes there."
        )
    return from_bytes(rest[:size], one.datatype, one.shape, one.name), rest[size:]
