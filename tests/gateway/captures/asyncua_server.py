"""asyncua as the server of a capture: `python asyncua_server.py PORT`."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime

from asyncua import Server, ua
from values import MOMENT, RUN, SCALARS, STATUSES


async def serve(port: int) -> None:
    """Serve until the process is ended."""
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/shopfloor/")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    space = await server.register_namespace("urn:test:captures")
    folder = await server.nodes.objects.add_folder(space, "Capture")
    number = 0
    for name, values in SCALARS.items():
        kind = ua.VariantType[name]
        shapes = [*values, values, [], [values, values]] if name != "ByteString" else [*values, values]
        for shape in shapes:
            variant = ua.Variant(shape, kind)
            node = await folder.add_variable(ua.NodeId(f"{name}-{number}", space), f"{name}-{number}", variant)
            await node.write_value(value(variant, number))
            number += 1
    for name in ("Double", "Int32", "Boolean"):
        for n in range(RUN):
            variant = ua.Variant(SCALARS[name][n % 2], ua.VariantType[name])
            node = await folder.add_variable(ua.NodeId(f"Run-{name}-{n}", space), f"Run-{name}-{n}", variant)
            await node.write_value(value(variant, 0))
    for shape in (ua.LocalizedText("Tür", "de"), ua.Range(1.0, 2.0), ua.NodeId("x", 3), ua.QualifiedName("q", 2)):
        await folder.add_variable(ua.NodeId(f"Other-{number}", space), f"Other-{number}", shape)
        number += 1
    async with server:
        sys.stdout.write("ready\n")
        await asyncio.Event().wait()


def value(variant: ua.Variant, number: int) -> ua.DataValue:
    """The value with a status, its times and picoseconds, in turn."""
    status = STATUSES[number % len(STATUSES)]
    return ua.DataValue(
        variant if status < 0x80000000 else ua.Variant(None, ua.VariantType.Null),
        ua.StatusCode(status),
        SourceTimestamp=MOMENT if number % 3 else None,
        ServerTimestamp=datetime.now(UTC) if number % 5 else None,
        SourcePicoseconds=4_299 if number % 3 and number % 2 else None,
        ServerPicoseconds=1_701 if number % 5 and number % 2 else None,
    )


asyncio.run(serve(int(sys.argv[1])))
