"""Writing to an OPC UA server: a variable in its own data type, or a method; what the server answers is the outcome."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from asyncua import ua
from asyncua.client.ua_session import UaSession
from shopfloor.gateway.opcua.leaves import scalar
from shopfloor.gateway.opcua.link import explained
from shopfloor.gateway.opcua.nodes import NODE, node_ids
from shopfloor.gateway.opcua.options import MethodOptions, OpcuaOptions
from shopfloor.gateway.opcua.tree import OBJECTS, browse
from shopfloor.plant import ShopfloorError, SourceLost, quality
from shopfloor.plant.contracts import Argument, Outcome, Scalar, Setpoint

_SETTLE_S: Final = 2.0
_LOOK_S: Final = 0.1
_CURRENT_WRITE: Final = 0x02
_BITS: Final = {
    ua.VariantType.SByte: (-(2**7), 2**7 - 1),
    ua.VariantType.Byte: (0, 2**8 - 1),
    ua.VariantType.Int16: (-(2**15), 2**15 - 1),
    ua.VariantType.UInt16: (0, 2**16 - 1),
    ua.VariantType.Int32: (-(2**31), 2**31 - 1),
    ua.VariantType.UInt32: (0, 2**32 - 1),
    ua.VariantType.Int64: (-(2**63), 2**63 - 1),
    ua.VariantType.UInt64: (0, 2**64 - 1),
}
_GONE: Final = frozenset(
    {
        ua.StatusCodes.BadSessionClosed,
        ua.StatusCodes.BadSessionIdInvalid,
        ua.StatusCodes.BadConnectionClosed,
        ua.StatusCodes.BadSecureChannelClosed,
        ua.StatusCodes.BadSecureChannelIdInvalid,
        ua.StatusCodes.BadServerHalted,
        ua.StatusCodes.BadShutdown,
        ua.StatusCodes.BadTimeout,
    }
)


class _NoOutcome(ShopfloorError):  # noqa: N818
    """An answer that ends a write: its status and its sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        self.status = status
        super().__init__(sentence)


@dataclass(slots=True)
class Writer:
    """The way back to one server. `over` lends it a session; without one nothing can be written."""

    options: OpcuaOptions
    _session: UaSession | None = None
    _nodes: Mapping[str, ua.NodeId] = field(default_factory=dict)
    _found: dict[str, tuple[ua.NodeId, ua.NodeId]] = field(default_factory=dict)

    @contextmanager
    def over(self, session: UaSession, nodes: Mapping[str, ua.NodeId]) -> Iterator[None]:
        """Write over this session, to these nodes by their tags, while the context is open."""
        self._session, self._nodes = session, nodes
        self._found.clear()
        try:
            yield
        finally:
            self._session = None

    @property
    def connected(self) -> bool:
        """Whether a session is lent."""
        return self._session is not None

    @property
    def methods(self) -> dict[str, tuple[Argument, ...]]:
        """The arguments of each method, by its tag."""
        return {tag: method.limits for tag, method in self.options.calls.items()}

    def can_write(self, tag: str) -> bool:
        """Whether the plant file gives this tag a variable or a method of the server."""
        return tag in self.options.calls or tag in self.options.named or tag in self._nodes

    async def apply(self, setpoint: Setpoint) -> Outcome:
        """Write or call, read back, and answer; a lost link raises `SourceLost`."""
        session = self._session
        if session is None:
            raise SourceLost(f"The server {self.options.url} is not connected.")
        try:
            with self._told():
                if setpoint.tag in self.options.calls:
                    return await self._call(session, setpoint)
                return await self._write(session, setpoint)
        except _NoOutcome as problem:
            return Outcome(problem.status, None, str(problem))

    @contextmanager
    def _told(self) -> Iterator[None]:
        with explained(self.options.url):
            try:
                yield
            except ua.UaStatusCodeError as problem:
                if problem.code in _GONE:
                    raise
                raise _NoOutcome(problem.code, f"The server answers {_name(problem.code)}: see its log.") from problem

    async def _write(self, session: UaSession, setpoint: Setpoint) -> Outcome:
        node = self._nodes.get(setpoint.tag)
        if node is None or isinstance(setpoint.value, tuple):
            raise _NoOutcome(quality.BAD_NODE_ID_UNKNOWN, f"The server has no variable for {setpoint.tag}.")
        held, kind = await self._before(session, node, setpoint.tag)
        variant = ua.Variant(_fit(setpoint.tag, setpoint.value, kind), kind)
        (status,) = await session.write_attributes([node], [ua.DataValue(variant)])
        if status.value >> 30:
            sentence = f"The server refuses {setpoint.tag}: {_name(status.value)}."
            return Outcome(status.value, None, sentence, held)
        return await self._held(session, node, setpoint.tag, variant, held)

    async def _before(self, session: UaSession, node: ua.NodeId, tag: str) -> tuple[Scalar | None, ua.VariantType]:
        """What the variable holds, and its type; refuses here what the server would refuse."""
        wanted = (ua.AttributeIds.Value, ua.AttributeIds.UserAccessLevel, ua.AttributeIds.DataType)
        parameters = ua.ReadParameters(NodesToRead=[ua.ReadValueId(NodeId=node, AttributeId=one) for one in wanted])
        value, access, data_type = await session.read(parameters)
        level = access.Value.Value if access.Value is not None else None
        if isinstance(level, int) and not level & _CURRENT_WRITE:
            raise _NoOutcome(
                quality.BAD_NOT_WRITABLE,
                f"The server does not let this user write {tag}: give 'user' rights there, or name another variable.",
            )
        variant = value.Value
        if variant is not None and variant.VariantType is not ua.VariantType.Null:
            if variant.is_array:
                raise _NoOutcome(
                    quality.BAD_TYPE_MISMATCH, f"{tag} is an array at the server: only scalars are written."
                )
            return scalar(variant.Value), variant.VariantType
        number = data_type.Value.Value.Identifier if data_type.Value is not None else 0
        return None, _builtin(tag, number)

    async def _held(
        self, session: UaSession, node: ua.NodeId, tag: str, sent: ua.Variant, before: Scalar | None
    ) -> Outcome:
        """Read back; a device that needs a moment gets it."""
        end = asyncio.get_running_loop().time() + _SETTLE_S
        while True:
            (answer,) = await session.read_attributes([node], ua.AttributeIds.Value)
            held = answer.Value.Value if answer.Value is not None else None
            if _same(sent, held) or asyncio.get_running_loop().time() > end:
                break
            await asyncio.sleep(_LOOK_S)
        if held is None:
            status = answer.StatusCode.value if answer.StatusCode is not None else quality.BAD
            sentence = f"{tag} was written and cannot be read back ({_name(status)}): look at the device."
            return Outcome(quality.UNCERTAIN, None, sentence, before)
        return Outcome(quality.GOOD, scalar(held), before=before)

    async def _call(self, session: UaSession, setpoint: Setpoint) -> Outcome:
        method = self.options.calls[setpoint.tag]
        if setpoint.tag not in self._found:
            self._found[setpoint.tag] = await _resolve(session, method)
        request = ua.CallMethodRequest()
        request.ObjectId, request.MethodId = self._found[setpoint.tag]
        given = setpoint.value if isinstance(setpoint.value, tuple) else (setpoint.value,)
        request.InputArguments = [
            ua.Variant(_fit(setpoint.tag, value, ua.VariantType[argument.type]), ua.VariantType[argument.type])
            for value, argument in zip(given, method.arguments, strict=True)
        ]
        (result,) = await session.call([request])
        outputs = tuple(scalar(one.Value) for one in result.OutputArguments or ())
        status = result.StatusCode.value
        if status >> 31:
            return Outcome(status, outputs or None, f"The server refuses {setpoint.tag}: {_name(status)}.")
        answered = f" and answered {', '.join(map(repr, outputs))}" if outputs else ""
        return Outcome(status, outputs, f"{setpoint.tag} was called{answered}.")


def _fit(tag: str, value: Scalar, kind: ua.VariantType) -> Any:
    """The value as the node's data type holds it.

    >>> _fit("t", 7.0, ua.VariantType.Int16), _fit("t", 1, ua.VariantType.Boolean)
    (7, True)
    """
    if kind is ua.VariantType.String and isinstance(value, str):
        return value
    if isinstance(value, str) or kind is ua.VariantType.String:
        raise _NoOutcome(quality.BAD_TYPE_MISMATCH, f"{tag} is {kind.name} at the server and cannot hold {value!r}.")
    if kind in {ua.VariantType.Float, ua.VariantType.Double}:
        return float(value)
    low, high = (0, 1) if kind is ua.VariantType.Boolean else _BITS.get(kind, (1, 0))
    if value != int(value) or not low <= value <= high:
        raise _NoOutcome(quality.BAD_TYPE_MISMATCH, f"{tag} is {kind.name} at the server and cannot hold {value:g}.")
    return bool(value) if kind is ua.VariantType.Boolean else int(value)


def _builtin(tag: str, number: Any) -> ua.VariantType:
    known = {26: ua.VariantType.Double, 27: ua.VariantType.Int64, 28: ua.VariantType.UInt64}
    if number in known:
        return known[number]
    try:
        kind = ua.VariantType(number)
    except ValueError:
        kind = ua.VariantType.Null
    if kind is ua.VariantType.Null:
        raise _NoOutcome(
            quality.BAD_TYPE_MISMATCH, f"{tag} has no value yet and a data type of the server's own: it is not written."
        )
    return kind


def _same(sent: ua.Variant, held: Any) -> bool:
    if sent.VariantType is ua.VariantType.Float and isinstance(held, float):
        return math.isclose(sent.Value, held, rel_tol=1e-6)
    return bool(sent.Value == held)


def _name(code: int) -> str:
    return str(ua.status_codes.get_name_and_doc(code)[0])


async def _resolve(session: UaSession, method: MethodOptions) -> tuple[ua.NodeId, ua.NodeId]:
    where = await _object(session, method.object)
    if NODE.fullmatch(method.method):
        return where, await _node(session, method.method)
    description = ua.BrowseDescription()
    description.NodeId = where
    description.BrowseDirection = ua.BrowseDirection.Forward
    description.ReferenceTypeId = ua.NodeId(ua.ObjectIds.HierarchicalReferences)
    description.IncludeSubtypes = True
    description.NodeClassMask = ua.NodeClass.Method
    description.ResultMask = ua.BrowseResultMask.BrowseName
    parameters = ua.BrowseParameters()
    parameters.NodesToBrowse = [description]
    (result,) = await session.browse(parameters)
    references: Sequence[Any] = result.References or ()
    found = [one.NodeId for one in references if one.BrowseName.Name == method.method]
    if not found:
        there = ", ".join(sorted(one.BrowseName.Name for one in references)) or "none"
        raise _NoOutcome(
            quality.BAD_CONFIGURATION_ERROR, f"{method.object!r} has no method {method.method!r}: it has {there}."
        )
    return where, found[0]


async def _node(session: UaSession, text: str) -> ua.NodeId:
    try:
        (node,) = await node_ids(session, [text])
    except SourceLost as problem:
        raise _NoOutcome(quality.BAD_CONFIGURATION_ERROR, str(problem)) from problem
    return node


async def _object(session: UaSession, text: str) -> ua.NodeId:
    if NODE.fullmatch(text):
        return await _node(session, text)
    wanted = tuple(text.split("/"))
    node = OBJECTS
    async for level in browse(session, lambda branch: branch.path == wanted[: len(branch.path)], len(wanted)):
        node = next((branch.node for branch in level if branch.path == wanted), node)
    if node is OBJECTS:
        raise _NoOutcome(quality.BAD_CONFIGURATION_ERROR, f"The server has no object {text!r} below Objects.")
    return node
