"""The Sparkplug B payload as protobuf messages, made from a table of the specification's fields.

Source: Sparkplug 3.0, chapter 6 (Payloads): names, numbers and types of the fields. The messages run on protobuf's
own C implementation (upb), and need no compiler and no build step.

>>> payload = Payload(timestamp=1, seq=0)
>>> payload.metrics.add(name="load", alias=7, datatype=10, double_value=2.5).alias
7
>>> Payload.FromString(payload.SerializeToString()).metrics[0].double_value
2.5
"""

from __future__ import annotations

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_PACKAGE: Final = "shopfloor.sparkplug"
_KINDS: Final = {"double": 1, "float": 2, "uint64": 4, "bool": 8, "string": 9, "bytes": 12, "uint32": 13}
_MESSAGE: Final = 11
_OPTIONAL: Final = 1
_REPEATED: Final = 3
_VALUES: Final = "int_value:uint32 long_value:uint64 float_value:float double_value:double boolean_value:bool"
_FLAGS: Final = "is_historical:bool is_transient:bool is_null:bool"
_FILE: Final = "file_name:string file_type:string md5:string"
_MESSAGES: Final = {
    "Payload": ("timestamp:uint64 metrics:*Metric seq:uint64 uuid:string body:bytes", ""),
    "Metric": (
        f"name:string alias:uint64 timestamp:uint64 datatype:uint32 {_FLAGS} metadata:MetaData properties:PropertySet",
        f"{_VALUES} string_value:string bytes_value:bytes dataset_value:DataSet template_value:Template",
    ),
    "MetaData": (
        f"is_multi_part:bool content_type:string size:uint64 seq:uint64 {_FILE} description:string",
        "",
    ),
    "PropertySet": ("keys:*string values:*PropertyValue", ""),
    "PropertySetList": ("propertyset:*PropertySet", ""),
    "PropertyValue": (
        "type:uint32 is_null:bool",
        f"{_VALUES} string_value:string propertyset_value:PropertySet propertysets_value:PropertySetList",
    ),
    "DataSet": ("num_of_columns:uint64 columns:*string types:*uint32 rows:*Row", ""),
    "Row": ("elements:*DataSetValue", ""),
    "DataSetValue": ("", f"{_VALUES} string_value:string"),
    "Template": (
        "version:string metrics:*Metric parameters:*Parameter template_ref:string is_definition:bool",
        "",
    ),
    "Parameter": ("name:string type:uint32", f"{_VALUES} string_value:string"),
}
"""Message -> its fields, numbered from 1 in this order, and those of its `oneof value`, numbered on."""


def _pool() -> descriptor_pool.DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(name="sparkplug_b", package=_PACKAGE, syntax="proto2")
    for name, (plain, oneof) in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field in plain.split():
            _field(message, field)
        if oneof:
            message.oneof_decl.add(name="value")
        for field in oneof.split():
            _field(message, field).oneof_index = 0
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


def _field(message: descriptor_pb2.DescriptorProto, text: str) -> descriptor_pb2.FieldDescriptorProto:
    name, _, kind = text.partition(":")
    label, kind = (_REPEATED, kind[1:]) if kind.startswith("*") else (_OPTIONAL, kind)
    field = message.field.add(name=name, number=len(message.field) + 1, label=label)
    if kind in _KINDS:
        field.type = _KINDS[kind]
    else:
        field.type, field.type_name = _MESSAGE, f".{_PACKAGE}.{kind}"
    return field


_POOL: Final = _pool()


def _class(name: str) -> Any:
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


Payload: Final = _class("Payload")
Metric: Final = _class("Metric")
Template: Final = _class("Template")
DataSet: Final = _class("DataSet")
PropertySet: Final = _class("PropertySet")
