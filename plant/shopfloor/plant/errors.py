"""The one error tree.

    ShopfloorError
    ├── ConfigError        a plant file says something impossible: what, where, what was expected, the next step
    ├── PathError          a name that is no ISA-95 path
    ├── BatchError         bytes or columns that are no batch
    ├── SourceLost         the link to a device is gone; the pipeline reconnects
    ├── SinkUnavailable    nothing was written; the caller keeps the batch and tries again
    ├── RejectedError      the batch can never be written; trying again is useless
    ├── QuestionError      a question to the store that cannot be answered as it was asked
    └── StoreError         the store cannot serve (disk full, locked by another process, damaged)

Every message is one sentence for a person: what, where, what was expected, the next step.
"""


class ShopfloorError(Exception):
    """Anything that Shopfloor reports to a person in one sentence."""


class ConfigError(ShopfloorError):
    """A plant file that cannot be used."""


class PathError(ShopfloorError, ValueError):
    """A name that is no path of the plant."""


class BatchError(ShopfloorError, ValueError):
    """Columns or bytes that are no batch."""


class SourceLost(ShopfloorError):  # noqa: N818 (a state of the world, named as operators name it)
    """The link to a device is gone, or could not be made."""


class SinkUnavailable(ShopfloorError):  # noqa: N818
    """Nothing was written now; the same batch may succeed later."""


class RejectedError(ShopfloorError):
    """The receiver understood the batch and will never take it."""


class StoreError(ShopfloorError):
    """The store cannot serve; the sentence says why and what to do."""


class QuestionError(ShopfloorError, ValueError):
    """A question that the store cannot answer as it was asked; the sentence says how to ask."""
