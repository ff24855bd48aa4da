"""The stream specification of a bundle, after it was proved that this code describes windows as it was sealed."""

from __future__ import annotations

from shopfloor.models.sealing.golden import check_golden
from shopfloor.models.sealing.opened import Bundle
from shopfloor.models.sealing.refused import RefusedBundle
from shopfloor.models.spec import SpecError
from shopfloor.models.streaming.rows import describe
from shopfloor.models.streaming.streamspec import StreamSpec, streamed


def proved_stream(bundle: Bundle) -> StreamSpec | None:
    """What a bundle is judged by live, None when it carries no stream; what does not fit raises `RefusedBundle`.

    Golden windows, where the bundle has them, must give its golden features to the last bit.
    """
    name = bundle.manifest.name
    try:
        spec = streamed(bundle.manifest)
    except SpecError as problem:
        raise RefusedBundle(f"The bundle {name} cannot be judged live. {problem}") from None
    if spec is not None and "golden.window" in bundle.arrays:
        try:
            check_golden(bundle, describe(spec))
        except ValueError as problem:
            raise RefusedBundle(f"The bundle {name} does not keep its word: {problem}; seal it again.") from None
    return spec
