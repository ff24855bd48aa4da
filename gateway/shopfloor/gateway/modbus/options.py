"""What the plant file may say about a Modbus TCP source, and the register map counted through.

>>> group = GroupOptions(
...     assets=[{"path": "delta/water/line-1/cell-1/pump-[1..2]", "unit": "[11..12]"}],
...     registers=[{"tag": "flow", "table": "input", "address": 100, "type": "float32"}],
... )
>>> [(point.tag, point.unit) for point in group.points(ModbusOptions(url="modbus://127.0.0.1", groups=[group]))]
[('delta/water/line-1/cell-1/pump-1/flow', 11), ('delta/water/line-1/cell-1/pump-2/flow', 12)]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, model_validator
from shopfloor.gateway.modbus.point import Point, Table
from shopfloor.plant.config import Duration, Number, Section, Whole, WriteOptions, url_of
from shopfloor.plant.config.assets import count

Order = Literal["big", "little"]
Unit = Annotated[Whole, Field(ge=0, le=255)]


class RegisterOptions(Section):
    """One value: where it stands and what its bits mean."""

    tag: str = Field(
        description="Tag name within each asset of the group, or a full path site/area/line/cell/asset/tag.",
        min_length=1,
    )
    table: Table = Field(description="'holding' (manuals: 4xxxx), 'input' (3xxxx), 'discrete' (1xxxx), 'coil' (0xxxx).")
    address: Whole = Field(
        ge=0, le=65535, description="Counted from 0, as on the wire: the register that a manual calls 40108 is 107."
    )
    type: (
        Literal["bool", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64", "string"] | None
    ) = Field(None, description="By default bool for coil and discrete, uint16 for input and holding.")
    bit: Whole | None = Field(None, ge=0, le=15, description="Bit of a register that is a bool; 0 is the lowest.")
    length: Whole | None = Field(None, ge=1, le=250, description="Characters of a string, two in a register.")
    word_order: Order | None = Field(None, description="Which register comes first; by default the source's.")
    byte_order: Order | None = Field(None, description="Which byte comes first; by default the source's.")
    scale: Number = Field(1.0, description="The value is raw * scale + offset.")
    offset: Number = Field(0.0, description="See scale.")

    def point(self, tag: str, unit: int, shift: int, source: ModbusOptions) -> Point:
        """The value at its place in one device; `shift` is added to the address."""
        kind = self.type or ("bool" if self.table in {"coil", "discrete"} else "uint16")
        return Point(
            tag=tag,
            unit=unit,
            table=self.table,
            address=self.address + shift,
            type=kind,
            bit=self.bit or 0,
            length=self.length or 0,
            little_words=(self.word_order or source.word_order) == "little",
            little_bytes=(self.byte_order or source.byte_order) == "little",
            scale=self.scale,
            offset=self.offset,
        )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.table in {"coil", "discrete"} and (self.type or "bool") != "bool":
            raise ValueError(f"a {self.table} is one bit and the type is {self.type}: leave 'type' out")
        if (self.bit is not None) != (self.type == "bool" and self.table in {"input", "holding"}):
            raise ValueError("'bit' belongs to a register of type bool: give both, or neither")
        if (self.length is not None) != (self.type == "string"):
            raise ValueError("'length' belongs to the type string: give both, or neither")
        if not self.scale:
            raise ValueError("a scale of 0 makes every value the same: write the factor, as in 0.1")
        if self.type in {"bool", "string"} and (self.scale, self.offset) != (1.0, 0.0):
            raise ValueError(f"a {self.type} has no scale and no offset: remove them")
        return self


class RowOptions(Section):
    """An asset, or a row of assets that are alike, and where their registers are."""

    path: str = Field(description="Asset path; [01..10] is counted through.", min_length=9)
    unit: Unit | str | None = Field(None, description="Unit id, or [11..20] counted through; by default the source's.")
    first: Whole = Field(0, ge=0, le=65535, description="Added to every address of the row's first asset.")
    step: Whole = Field(0, ge=0, le=65535, description="Added once more for each further asset of the row.")

    def each(self, unit: int) -> list[tuple[str, int, int]]:
        """Path, unit and shift of each asset; `unit` is the source's."""
        paths = count(self.path)
        units = self._units(unit, len(paths))
        return [(path, units[n], self.first + n * self.step) for n, path in enumerate(paths)]

    def _units(self, unit: int, n: int) -> list[int]:
        if isinstance(self.unit, str):
            return [int(text) for text in count(self.unit)]
        return [unit if self.unit is None else self.unit] * n

    @model_validator(mode="after")
    def _alike(self) -> Self:
        paths = count(self.path)
        if isinstance(self.unit, str):
            units = count(self.unit)
            if len(units) != len(paths):
                raise ValueError(f"{self.path!r} and {self.unit!r} count differently: give both the same row")
            if not all(text.isdecimal() and int(text) <= 255 for text in units):
                raise ValueError(f"{self.unit!r} is no unit id: write a number from 0 to 255, or a row as in [11..20]")
        elif len(paths) > 1 and not self.step:
            raise ValueError(f"all of {self.path!r} would read the same registers: give 'step', or a row of units")
        return self


class GroupOptions(Section):
    """Registers that are polled together."""

    every: Duration = Field(1.0, gt=0, description="How often they are read; the times do not drift.")
    report: Literal["changes", "all"] = Field(
        "changes", description="'changes': only values that differ from the last reading; 'all': every reading."
    )
    heartbeat: Duration = Field(60.0, gt=0, description="A value that does not change is reported this often.")
    assets: tuple[RowOptions, ...] = Field((), description="Assets that have these registers.")
    registers: tuple[RegisterOptions, ...] = Field(description="The register map.", min_length=1)

    def points(self, source: ModbusOptions) -> Iterator[Point]:
        """Every value of the group, counted through."""
        for register in self.registers:
            if "/" in register.tag:
                yield register.point(register.tag, source.unit, 0, source)
                continue
            for row in self.assets:
                for path, unit, shift in row.each(source.unit):
                    yield register.point(f"{path}/{register.tag}", unit, shift, source)

    @model_validator(mode="after")
    def _placed(self) -> Self:
        for register in self.registers:
            if "/" not in register.tag and not self.assets:
                raise ValueError(f"{register.tag!r} belongs to no asset: give 'assets', or its full path")
            if "/" in register.tag and register.tag.count("/") != 5:
                raise ValueError(f"{register.tag!r} is no tag path: write site/area/line/cell/asset/tag")
        return self


class ModbusOptions(Section):
    """A device that speaks Modbus TCP, and what its registers mean."""

    url: Annotated[str, url_of("modbus")] = Field(description="Device, as in modbus://192.168.10.40:502.")
    unit: Unit = Field(1, description="Unit id of the device, or behind a gateway that of a row's assets.")
    timeout: Duration = Field(1.0, gt=0, description="How long one request may take.")
    word_order: Order = Field("big", description="Which register of a longer number comes first: 'big' the high one.")
    byte_order: Order = Field("big", description="Which byte of a register comes first; the standard says 'big'.")
    gap: Whole = Field(8, ge=0, le=124, description="Registers that nobody needs, read along to save a request.")
    largest: Whole = Field(125, ge=1, le=125, description="Registers in one request; some devices take fewer.")
    groups: tuple[GroupOptions, ...] = Field(description="Polling groups.", min_length=1)
    writes: WriteOptions | None = Field(None, description="What may be written; by default nothing.")

    @property
    def device(self) -> SplitResult:
        """The URL in parts."""
        return urlsplit(self.url)

    @model_validator(mode="after")
    def _unique(self) -> Self:
        seen = set()
        for group in self.groups:
            for point in group.points(self):
                if point.tag in seen:
                    raise ValueError(f"the tag {point.tag!r} has two registers: keep one of them")
                if point.end > 65536:
                    raise ValueError(f"{point.tag!r} ends at address {point.end - 1}: 65535 is the last one")
                if point.size > self.largest:
                    raise ValueError(f"{point.tag!r} needs {point.size} registers: raise 'largest', or read less")
                seen.add(point.tag)
        return self
