"""Nodes of an OPC UA address space, described by variables and their browse paths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from asyncua import ua
from shopfloor.plant.batch import Kind
from shopfloor.simulators.units import unit

_DATA_TYPE: Final = {Kind.FLOAT: ua.ObjectIds.Double, Kind.INT: ua.ObjectIds.Int64, Kind.TEXT: ua.ObjectIds.String}
_READ: Final = 0x01
_WRITE: Final = 0x02


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of a device: browse path below the root folder, kind, unit and range, writable or not.

    >>> Variable(("CNC-01", "Monitoring", "Spindle", "Power"), Kind.FLOAT, "kW").node
    'CNC-01.Monitoring.Spindle.Power'
    """

    path: tuple[str, ...]
    kind: Kind
    unit: str = ""
    range: tuple[float, float] | None = None
    writable: bool = False
    description: str = ""

    @property
    def node(self) -> str:
        """The string that identifies its node."""
        return ".".join(self.path)

    @property
    def analog(self) -> bool:
        """Whether it carries EngineeringUnits and EURange."""
        return self.kind is not Kind.TEXT and bool(self.unit or self.range)


def items(variables: Sequence[Variable], namespace: int, root: str) -> Iterator[ua.AddNodesItem]:
    """Every node that the variables need, parents first: root folder, objects, variables, their properties."""
    yield _object(ua.NodeId(ua.ObjectIds.ObjectsFolder), (root,), namespace, folder=True)
    known: set[tuple[str, ...]] = set()
    for variable in variables:
        for depth in range(1, len(variable.path)):
            path = variable.path[:depth]
            if path not in known:
                known.add(path)
                yield _object(_parent(path, namespace, root), path, namespace)
        yield _variable(variable, namespace, root)
        yield from _properties(variable, namespace)


def node_id(variable: Variable, namespace: int) -> ua.NodeId:
    """The NodeId of a variable."""
    return ua.NodeId(variable.node, namespace)


def _parent(path: tuple[str, ...], namespace: int, root: str) -> ua.NodeId:
    return ua.NodeId(".".join(path[:-1]) or root, namespace)


def _object(parent: ua.NodeId, path: tuple[str, ...], namespace: int, *, folder: bool = False) -> ua.AddNodesItem:
    kind = ua.ObjectIds.FolderType if folder else ua.ObjectIds.BaseObjectType
    reference = ua.ObjectIds.Organizes if folder or len(path) == 1 else ua.ObjectIds.HasComponent
    item = _item(parent, reference, ".".join(path), path[-1], namespace, ua.NodeClass.Object, kind)
    item.NodeAttributes = ua.ObjectAttributes(DisplayName=ua.LocalizedText(path[-1]), EventNotifier=0)
    return item


def _variable(variable: Variable, namespace: int, root: str) -> ua.AddNodesItem:
    kind = ua.ObjectIds.AnalogUnitRangeType if variable.analog else ua.ObjectIds.BaseDataVariableType
    parent = _parent(variable.path, namespace, root)
    item = _item(
        parent, ua.ObjectIds.HasComponent, variable.node, variable.path[-1], namespace, ua.NodeClass.Variable, kind
    )
    empty = ua.Variant(None, ua.VariantType.Null)
    item.NodeAttributes = _attributes(variable.path[-1], empty, _DATA_TYPE[variable.kind], writable=variable.writable)
    item.NodeAttributes.Description = ua.LocalizedText(variable.description)
    return item


def _properties(variable: Variable, namespace: int) -> Iterator[ua.AddNodesItem]:
    if not variable.analog:
        return
    information = ua.Variant(unit(variable.unit), ua.VariantType.ExtensionObject)
    yield _property(variable, "EngineeringUnits", information, ua.ObjectIds.EUInformation, namespace)
    if variable.range is not None:
        span = ua.Variant(ua.Range(*map(float, variable.range)), ua.VariantType.ExtensionObject)
        yield _property(variable, "EURange", span, ua.ObjectIds.Range, namespace)


def _property(variable: Variable, name: str, value: ua.Variant, data_type: int, namespace: int) -> ua.AddNodesItem:
    item = _item(
        node_id(variable, namespace),
        ua.ObjectIds.HasProperty,
        f"{variable.node}.{name}",
        name,
        0,
        ua.NodeClass.Variable,
        ua.ObjectIds.PropertyType,
    )
    item.RequestedNewNodeId = ua.NodeId(f"{variable.node}.{name}", namespace)
    item.NodeAttributes = _attributes(name, value, data_type, writable=False)
    return item


def _item(
    parent: ua.NodeId, reference: int, node: str, name: str, namespace: int, node_class: ua.NodeClass, kind: int
) -> ua.AddNodesItem:
    item = ua.AddNodesItem()
    item.RequestedNewNodeId = ua.NodeId(node, namespace)
    item.BrowseName = ua.QualifiedName(name, namespace)
    item.ParentNodeId = parent
    item.ReferenceTypeId = ua.NodeId(reference)
    item.NodeClass = node_class
    item.TypeDefinition = ua.NodeId(kind)
    return item


def _attributes(name: str, value: Any, data_type: int, *, writable: bool) -> ua.VariableAttributes:
    access = _READ | _WRITE if writable else _READ
    return ua.VariableAttributes(
        DisplayName=ua.LocalizedText(name),
        Value=value,
        DataType=ua.NodeId(data_type),
        ValueRank=ua.ValueRank.Scalar,
        AccessLevel=access,
        UserAccessLevel=access,
        MinimumSamplingInterval=0.0,
    )
