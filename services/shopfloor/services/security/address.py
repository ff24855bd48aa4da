"""Addresses: which are this machine only, and which may be listened on."""

from __future__ import annotations

import ipaddress
from functools import lru_cache


@lru_cache(1_024)
def is_loopback(host: str) -> bool:
    """Whether a name or address means this machine and no other.

    >>> [is_loopback(h) for h in ("localhost", "127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "plant.example")]
    [True, True, True, True, False, False]
    """
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def host_of(header: str) -> str:
    """Host without its port, from a Host header.

    >>> host_of("localhost:8000"), host_of("[::1]:8000"), host_of("plant.example")
    ('localhost', '::1', 'plant.example')
    """
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0]
