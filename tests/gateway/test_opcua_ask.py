"""Publish requests by their bytes, against asyncua's own encoder."""

from __future__ import annotations

import pytest
from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import nodeid_from_binary, struct_from_binary, struct_to_binary
from shopfloor.gateway.opcua.ask import Acknowledgement, publish_request

TOKENS = [ua.NodeId(), ua.NodeId(7), ua.NodeId(70_000, 300), ua.NodeId("session", 1), ua.NodeId(b"\x00\xff" * 16, 2)]
ACKNOWLEDGEMENTS: list[list[Acknowledgement]] = [[], [(1, 2)], [(0xFFFF_FFFF, 0xFFFF_FFFF), (5, 1), (5, 2)]]


@pytest.mark.parametrize("token", TOKENS, ids=str)
@pytest.mark.parametrize("acknowledgements", ACKNOWLEDGEMENTS, ids=len)
def test_a_request_is_what_asyncua_encodes(token: ua.NodeId, acknowledgements: list[Acknowledgement]) -> None:
    found = publish_request(token, 0x1122_3344, acknowledgements)
    rest = Buffer(found)
    nodeid_from_binary(rest)
    header = struct_from_binary(ua.RequestHeader, rest)
    expected = ua.PublishRequest(RequestHeader=header)
    expected.Parameters.SubscriptionAcknowledgements = [
        ua.SubscriptionAcknowledgement(*one) for one in acknowledgements
    ]
    assert found == struct_to_binary(expected)
    assert (header.AuthenticationToken, header.RequestHandle, header.TimeoutHint) == (token, 0x1122_3344, 0)
