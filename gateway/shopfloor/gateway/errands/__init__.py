"""Errands: what people ask of a gateway, fetched from the server and answered part by part."""

from shopfloor.gateway.errands.fetch import Errands, Handler

__all__ = ["Errands", "Handler"]
