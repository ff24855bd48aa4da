"""What the plant file may say about an OPC UA source.

>>> options = OpcuaOptions(
...     url="opc.tcp://127.0.0.1:4840",
...     security="none",
...     assets={"Machines/CNC-[1..2]": "delta/frames/machining/cell-a/cnc-[1..2]"},
...     tags={"Spindle/Power": "spindle.power"},
... )
>>> options.roots["Machines/CNC-2"]
'delta/frames/machining/cell-a/cnc-2'
>>> options.publishes
0.1
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator
from shopfloor.gateway.opcua.conditions.options import Conditions
from shopfloor.plant import Kind
from shopfloor.plant.config import Duration, Number, Section, Whole, WriteOptions, url_of
from shopfloor.plant.config.assets import count
from shopfloor.plant.contracts import Argument
from shopfloor.plant.tag import Band

POLICIES: Final = ("Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss")
WEAK: Final = ("Basic128Rsa15", "Basic256")
_PUBLISHED_S: Final = 0.1
_OFTEN_S: Final = 0.05
_SELDOM_S: Final = 0.5


class NodeOptions(Section):
    """One variable by its NodeId."""

    node: str = Field(description="NodeId, as in ns=2;s=Boiler.Pressure or nsu=urn:maker:plc;s=Boiler.", min_length=1)
    tag: str = Field(description="Full tag path site/area/line/cell/asset/tag.", min_length=11)


class ArgumentOptions(Section):
    """One argument of a method, with its limits."""

    name: str = Field(description="Name for people.", min_length=1)
    type: Literal[
        "Boolean", "SByte", "Byte", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64", "Float", "Double", "String"
    ] = Field(description="Data type at the server.")
    range: tuple[Number, Number] | None = Field(None, description="What a number may be: [low, high].")
    states: tuple[str, ...] = Field((), description="What a text may be.")

    @property
    def limits(self) -> Argument:
        """The argument as the gateway's door judges it."""
        if self.type == "Boolean":
            return Argument(self.name, Kind.INT, Band(0, 1))
        kind = Kind.TEXT if self.type == "String" else Kind.FLOAT if self.type in {"Float", "Double"} else Kind.INT
        return Argument(self.name, kind, Band(*self.range) if self.range else None, self.states)

    @model_validator(mode="after")
    def _limited(self) -> Self:
        needed = {"String": "states", "Boolean": ""}.get(self.type, "range")
        if needed and not getattr(self, needed):
            raise ValueError(f"the argument {self.name!r} has no limits: give its {needed!r}")
        if self.range and not self.range[0] <= self.range[1]:
            raise ValueError(f"the range of {self.name!r} is upside down: write the lower first")
        return self


class MethodOptions(Section):
    """A method that may be called as a setpoint whose value is its arguments."""

    tag: str = Field(description="Full path that stands for the method; one [01..10] is counted.", min_length=11)
    object: str = Field(description="Its object: NodeId, or browse path below Objects; counted along.", min_length=1)
    method: str = Field(description="NodeId of the method, or its browse name below the object.", min_length=1)
    arguments: tuple[ArgumentOptions, ...] = Field((), description="Its input arguments, in their order.")

    @property
    def limits(self) -> tuple[Argument, ...]:
        """The arguments as the gateway's door judges them."""
        return tuple(argument.limits for argument in self.arguments)

    def each(self) -> dict[str, MethodOptions]:
        """The method of each asset of the row, by its tag."""
        return {
            tag: self.model_copy(update={"tag": tag, "object": place})
            for tag, place in zip(count(self.tag), count(self.object), strict=True)
        }

    @model_validator(mode="after")
    def _alike(self) -> Self:
        if len(count(self.tag)) != len(count(self.object)):
            raise ValueError(f"{self.tag!r} and {self.object!r} count differently: give both the same row")
        return self


class OpcuaOptions(Section):
    """A server and the variables to read: `assets` with `tags`, single `nodes`, or `everything`."""

    url: Annotated[str, url_of("opc.tcp")] = Field(description="Server, as in opc.tcp://127.0.0.1:4840/path.")
    security: Literal[
        "none", "Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss", "Basic128Rsa15", "Basic256"
    ] = Field(
        description="Security policy; 'none' must be said by name, and no other is ever tried. The last two are broken."
    )
    mode: Literal["SignAndEncrypt", "Sign"] = Field("SignAndEncrypt", description="What the policy does to messages.")
    certificate: str | None = Field(
        None, description="File of this client's certificate (.der or .pem); by default the gateway's own."
    )
    private_key: str | None = Field(None, description="File of its private key (.pem or .der).")
    server_certificate: str | None = Field(
        None, description="File of the server's certificate, to trust no other; by default the gateway's trust list."
    )
    application_uri: str | None = Field(
        None, description="Application URI that 'certificate' must hold; by default the one that it holds."
    )
    user: str | None = Field(None, description="User name at the server.")
    password_file: str | None = Field(None, description="File that holds the password.")
    user_certificate: str | None = Field(None, description="File of a certificate to log in with, in place of a user.")
    user_key: str | None = Field(None, description="File of its private key (.pem or .der).")
    publishing_interval: Duration | None = Field(
        None,
        description="How often the server sends what has changed; by default as often as it looks, between 50 and 500"
        " ms, and every 100 ms where it looks as fast as it can.",
    )
    sampling_interval: Duration | None = Field(None, description="How often it looks; by default as fast as it can.")
    queue: Whole | None = Field(None, ge=1, description="Values the server keeps per variable; by default 10 s.")
    trigger: Literal["value", "timestamp"] = Field(
        "value", description="'timestamp': report every sample, also one whose value is the same as before."
    )
    assets: dict[str, str] = Field({}, description="Browse path below Objects -> asset path; names joined by '/'.")
    tags: dict[str, str] = Field({}, description="Browse path below each asset -> tag name.")
    nodes: tuple[NodeOptions, ...] = Field((), description="Single variables by NodeId.")
    everything: str | None = Field(None, description="Asset path that gets every variable of the server.")
    methods: tuple[MethodOptions, ...] = Field((), description="Methods that may be called, if 'writes' allows it.")
    conditions: Conditions = Field(
        None, description="Alarms & Conditions of the server: true, a list of notifier NodeIds, or these keys."
    )
    writes: WriteOptions | None = Field(None, description="What may be written; by default nothing.")

    @cached_property
    def calls(self) -> dict[str, MethodOptions]:
        """Every method by its tag, with rows counted through."""
        return {tag: one for method in self.methods for tag, one in method.each().items()}

    @cached_property
    def named(self) -> frozenset[str]:
        """Every tag that the source gives a variable by name; 'everything' is only known of a connected server."""
        mapped = (f"{asset}/{tag}" for asset in self.roots.values() for tag in self.tags.values())
        return frozenset((*mapped, *(node.tag for node in self.nodes)))

    @property
    def roots(self) -> dict[str, str]:
        """Browse path of each asset below Objects -> its asset path, with rows counted through."""
        return {
            path: asset
            for paths, assets in self.assets.items()
            for path, asset in zip(count(paths), count(assets), strict=True)
        }

    @property
    def logs_in(self) -> bool:
        """Whether a secret proves who asks."""
        return self.user is not None or self.user_certificate is not None

    @property
    def publishes(self) -> float:
        """Seconds between two notifications of what has changed.

        Less would be news to nobody; where nothing changes, none is sent, however short it is.
        """
        if self.publishing_interval is not None:
            return self.publishing_interval
        return _PUBLISHED_S if not self.sampling_interval else min(_SELDOM_S, max(_OFTEN_S, self.sampling_interval))

    @property
    def queue_size(self) -> int:
        """Values that the server shall keep for one variable."""
        if self.queue is not None:
            return self.queue
        return min(1_000, max(10, round(10 / self.sampling_interval))) if self.sampling_interval else 100

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not (self.assets or self.nodes or self.everything):
            raise ValueError("the source names no variables: give 'assets' with 'tags', 'nodes' or 'everything'")
        if bool(self.assets) != bool(self.tags):
            raise ValueError("'assets' and 'tags' belong together: give both, or neither")
        for paths, assets in self.assets.items():
            if len(count(paths)) != len(count(assets)):
                raise ValueError(f"{paths!r} and {assets!r} count differently: give both the same row")
        return self

    @model_validator(mode="after")
    def _paired(self) -> Self:
        for one, other in (("certificate", "private_key"), ("user_certificate", "user_key")):
            if (getattr(self, one) is None) != (getattr(self, other) is None):
                raise ValueError(f"{one!r} and {other!r} belong together: give both, or neither")
        if urlsplit(self.url).username is not None:
            raise ValueError("'url' holds a user name: give 'user' and 'password_file' in place of it")
        if self.user is not None and self.user_certificate is not None:
            raise ValueError("the source logs in by 'user' and by 'user_certificate': give one of them")
        return self
