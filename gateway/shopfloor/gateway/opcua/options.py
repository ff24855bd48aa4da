"""What the plant file may say about an OPC UA source.

>>> options = OpcuaOptions(
...     url="opc.tcp://127.0.0.1:4840",
...     security="none",
...     assets={"Machines/CNC-[1..2]": "delta/frames/machining/cell-a/cnc-[1..2]"},
...     tags={"Spindle/Power": "spindle.power"},
... )
>>> options.roots["Machines/CNC-2"]
'delta/frames/machining/cell-a/cnc-2'
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator
from shopfloor.plant.config import Duration, Section, Whole, url_of
from shopfloor.plant.config.assets import count

POLICIES: Final = ("Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss")
WEAK: Final = ("Basic128Rsa15", "Basic256")


class NodeOptions(Section):
    """One variable by its NodeId."""

    node: str = Field(description="NodeId, as in ns=2;s=Boiler.Pressure.", min_length=1)
    tag: str = Field(description="Full tag path site/area/line/cell/asset/tag.", min_length=11)


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
    publishing_interval: Duration = Field(0.5, description="How often the server sends what has changed.")
    sampling_interval: Duration | None = Field(None, description="How often it looks; by default as fast as it can.")
    queue: Whole | None = Field(None, ge=1, description="Values the server keeps per variable; by default 10 s.")
    trigger: Literal["value", "timestamp"] = Field(
        "value", description="'timestamp': report every sample, also one whose value is the same as before."
    )
    assets: dict[str, str] = Field({}, description="Browse path below Objects -> asset path; names joined by '/'.")
    tags: dict[str, str] = Field({}, description="Browse path below each asset -> tag name.")
    nodes: tuple[NodeOptions, ...] = Field((), description="Single variables by NodeId.")
    everything: str | None = Field(None, description="Asset path that gets every variable of the server.")

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
        if self.user is not None and self.user_certificate is not None:
            raise ValueError("the source logs in by 'user' and by 'user_certificate': give one of them")
        return self
