"""The number of threads, the one state of the package."""

import os

from . import _asap

_forked = False


def _after_fork() -> None:
    # The threads of OpenMP do not survive a fork, and waiting for them would never end.
    global _forked
    _forked = True
    _asap.set_threads(1)


os.register_at_fork(after_in_child=_after_fork)


def set_threads(threads: int) -> None:
    """Sets how many threads calls may use from now on, 1 to 1024; at first one for each processor.

    Results do not depend on it. A process that was forked has one thread and cannot have more: RuntimeError.
    """
    if _forked and threads > 1:
        raise RuntimeError("set_threads: a forked process has one thread (hint: start processes by 'spawn')")
    _asap.set_threads(threads)


def threads() -> int:
    """How many threads calls may use."""
    return _asap.threads()
