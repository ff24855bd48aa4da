"""Times as Lookout for Equipment took them, read as UTC nanoseconds."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from shopfloor.services.exchange.moments import times

_AS_ISO: Final = (
    (r"^(\d{4})(\d\d)(\d\d)[ T]?(\d\d):?(\d\d):?(\d\d)(\.\d+)?$", r"\1-\2-\3T\4:\5:\6\7"),
    (r"(^|[-/: T])(\d)\b", r"\10\2"),
    (r"^(\d\d)/(\d\d)/(\d{4})", r"\3-\1-\2"),
    (r"^(\d{4})[/ ](\d\d)[/ ](\d\d)", r"\1-\2-\3"),
    (r"^(\d{4}-\d\d-\d\d)-(\d\d)-(\d\d)-(\d\d)(\.\d+)?$", r"\1T\2:\3:\4\5"),
    (r"^(\d{4}-\d\d-\d\d)-(\d\d):", r"\1T\2:"),
)
_AS_NS: Final = ((r"^(\d{10})(\.0*)?$", r"\1000000000"), (r"^(\d{13})$", r"\1000000"), (r"^(\d{16})$", r"\1000"))
_NS_DIGITS: Final = r"^\d{19}$"


def service_times(texts: pa.StringArray, _: int, zone: str) -> NDArray[np.int64]:
    """UTC ns; a time without a zone is that of `zone`. What is none of these forms raises `pa.ArrowInvalid`.

    ISO 8601; `2020/1/1 0:05`, the month first in `1/31/2020 0:05`; `2020-01-01-00-05-00`, `20200101000500`; whole
    numbers since 1970 with the digits of seconds, milliseconds, microseconds or nanoseconds of this century.

    >>> service_times(pa.array(["1/31/2020 0:05", "2020-01-31-00-05-00"]), 1, "UTC").tolist()
    [1580429100000000000, 1580429100000000000]
    """
    coded = pc.dictionary_encode(texts)
    index: NDArray[np.int32] = coded.indices.to_numpy(zero_copy_only=False)
    return _read(coded.dictionary, zone)[index]


def _read(texts: pa.StringArray, zone: str) -> NDArray[np.int64]:
    for pattern, form in (*_AS_ISO, *_AS_NS):
        texts = pc.replace_substring_regex(texts, pattern, form)
    number = pc.match_substring_regex(texts, r"^[-+]?[\d.]+$")
    if pc.any(pc.and_not(number, pc.match_substring_regex(texts, _NS_DIGITS))).as_py():
        raise pa.ArrowInvalid("a number that counts neither s, ms, us nor ns since 1970")
    return times(texts, 1, zone)
