"""What the Open Inference Protocol answers instead of a result: a status and one sentence."""

from __future__ import annotations

from shopfloor.plant.errors import ShopfloorError


class InferenceRefused(ShopfloorError):  # noqa: N818 (what happened to the request)
    """A request that gets no result. `status` is that of HTTP."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status
