"""What the package raises besides ValueError and TypeError."""

from . import _asap


class DataError(ValueError):
    """A file is missing, damaged, or does not hold what was expected."""


class NumericalError(ValueError):
    """An array holds values that are not finite, or a result would."""


for _error in (DataError, NumericalError):
    _error.__module__ = "asap"
_asap.set_exceptions(DataError, NumericalError)
