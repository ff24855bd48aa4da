"""The unified namespace: the last value of every tag, retained at a broker for whoever wants to know."""

from shopfloor.gateway.uns.namespace import Namespace

__all__ = ["Namespace"]
