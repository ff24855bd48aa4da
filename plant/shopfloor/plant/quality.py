"""Quality of a value: the OPC UA StatusCode, 32 bits, whose top two bits are the severity.

Source: OPC 10000-4, section 7.39 (StatusCode) and OPC 10000-6, annex A.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

GOOD: Final = 0x0000_0000
UNCERTAIN: Final = 0x4000_0000
UNCERTAIN_LAST_USABLE: Final = 0x4090_0000
UNCERTAIN_SENSOR_NOT_ACCURATE: Final = 0x4093_0000
UNCERTAIN_UNITS_EXCEEDED: Final = 0x4094_0000
BAD: Final = 0x8000_0000
BAD_DECODING: Final = 0x8007_0000
BAD_NO_COMMUNICATION: Final = 0x8031_0000
BAD_WAITING_FOR_INITIAL_DATA: Final = 0x8032_0000
BAD_NOT_CONNECTED: Final = 0x808A_0000
BAD_DEVICE_FAILURE: Final = 0x808B_0000
BAD_SENSOR_FAILURE: Final = 0x808C_0000
BAD_OUT_OF_SERVICE: Final = 0x808D_0000
BAD_TYPE_MISMATCH: Final = 0x8074_0000
BAD_RESOURCE_UNAVAILABLE: Final = 0x8004_0000
BAD_COMMUNICATION_ERROR: Final = 0x8005_0000
BAD_TIMEOUT: Final = 0x800A_0000
BAD_TOO_MANY_OPERATIONS: Final = 0x8010_0000
BAD_USER_ACCESS_DENIED: Final = 0x801F_0000
BAD_NODE_ID_UNKNOWN: Final = 0x8034_0000
BAD_NOT_WRITABLE: Final = 0x803B_0000
BAD_OUT_OF_RANGE: Final = 0x803C_0000
BAD_NOT_SUPPORTED: Final = 0x803D_0000
BAD_ARGUMENTS_MISSING: Final = 0x8076_0000
BAD_CONFIGURATION_ERROR: Final = 0x8089_0000

BACKFILLED: Final = 0x0000_0400
"""Added to the status of a value that was read from a device's history after an outage: InfoType DataValue with the
historian bits of a raw value (OPC 10000-4, table 176; OPC 10000-11). A live value has InfoType NotUsed, or an overflow
or limit bit with it."""
_INFO: Final = 0x0000_FFFF

_NAMES: Final = {
    GOOD: "Good",
    UNCERTAIN: "Uncertain",
    UNCERTAIN_LAST_USABLE: "UncertainLastUsableValue",
    UNCERTAIN_SENSOR_NOT_ACCURATE: "UncertainSensorNotAccurate",
    UNCERTAIN_UNITS_EXCEEDED: "UncertainEngineeringUnitsExceeded",
    BAD: "Bad",
    BAD_DECODING: "BadDecodingError",
    BAD_NO_COMMUNICATION: "BadNoCommunication",
    BAD_WAITING_FOR_INITIAL_DATA: "BadWaitingForInitialData",
    BAD_NOT_CONNECTED: "BadNotConnected",
    BAD_DEVICE_FAILURE: "BadDeviceFailure",
    BAD_SENSOR_FAILURE: "BadSensorFailure",
    BAD_OUT_OF_SERVICE: "BadOutOfService",
    BAD_TYPE_MISMATCH: "BadTypeMismatch",
    BAD_RESOURCE_UNAVAILABLE: "BadResourceUnavailable",
    BAD_COMMUNICATION_ERROR: "BadCommunicationError",
    BAD_TIMEOUT: "BadTimeout",
    BAD_TOO_MANY_OPERATIONS: "BadTooManyOperations",
    BAD_USER_ACCESS_DENIED: "BadUserAccessDenied",
    BAD_NODE_ID_UNKNOWN: "BadNodeIdUnknown",
    BAD_NOT_WRITABLE: "BadNotWritable",
    BAD_OUT_OF_RANGE: "BadOutOfRange",
    BAD_NOT_SUPPORTED: "BadNotSupported",
    BAD_ARGUMENTS_MISSING: "BadArgumentsMissing",
    BAD_CONFIGURATION_ERROR: "BadConfigurationError",
}
_BY_NAME: Final = {text.lower(): status for status, text in _NAMES.items()}


class Severity(IntEnum):
    """The two top bits of a StatusCode. The reserved pattern 0b11 counts as bad.

    >>> Severity.of(0x8031_0000)
    <Severity.BAD: 2>
    """

    GOOD = 0
    UNCERTAIN = 1
    BAD = 2

    @classmethod
    def of(cls, status: int) -> Severity:
        """Severity of one StatusCode."""
        return cls(min(status >> 30, 2))


def severity(status: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Severity of each StatusCode: 0 good, 1 uncertain, 2 bad.

    >>> severity(np.array([GOOD, UNCERTAIN_LAST_USABLE, BAD], np.uint32)).tolist()
    [0, 1, 2]
    """
    result: NDArray[np.uint8] = np.minimum(status >> 30, 2).astype(np.uint8)
    return result


def is_backfilled(status: int) -> bool:
    """Whether a value came from a device's history after an outage.

    >>> is_backfilled(GOOD | BACKFILLED), is_backfilled(GOOD), is_backfilled(0x0000_0480)
    (True, False, False)
    """
    return status & 0x0000_0FFF == BACKFILLED


def name(status: int) -> str:
    """Name of a StatusCode as the specification writes it, without its info bits, or its severity and number.

    >>> name(BAD_SENSOR_FAILURE), name(0x8001_0000)
    ('BadSensorFailure', 'Bad (0x80010000)')
    """
    return _NAMES.get(status & ~_INFO) or f"{Severity.of(status).name.capitalize()} (0x{status:08X})"


def of_name(text: str) -> int | None:
    """The StatusCode of a name, in any case; None for one that is not known here.

    >>> of_name("good"), of_name("BadSensorFailure") == BAD_SENSOR_FAILURE, of_name("nice")
    (0, True, None)
    """
    return _BY_NAME.get(text.lower())
