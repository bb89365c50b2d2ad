"""The other side of the pool: a process that takes one job after the other.

This module is the first that a new process imports: it stays light, so that the process is ready
before it loads what its jobs need.
"""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

__all__ = ["DONE", "ERROR", "READY", "quiet_start", "serve"]

READY, DONE, ERROR = "ready", "done", "error"
_ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


def serve(connection: Connection) -> None:
    """Answer jobs until the other end is closed, which also happens when its process dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    try:
        connection.send((READY, None))
        while True:
            function, argument = connection.recv()
            _answer(connection, function, argument)
    except (EOFError, OSError):
        return


def _answer(connection: Connection, function: Any, argument: Any) -> None:
    try:
        reply = (DONE, function(argument))
    except Exception as error:
        reply = (ERROR, _described(error))
    try:
        connection.send(reply)
    except OSError:
        raise
    except Exception as error:  # a value that cannot be pickled
        connection.send((ERROR, _described(error)))


def _described(error: Exception) -> tuple[str, str]:
    return f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error))


@contextmanager
def quiet_start() -> Iterator[None]:
    """Let processes started inside have one thread each, and no ear for Ctrl-C from the first moment.

    Numerical libraries read these variables when they are loaded, so they must be set before.
    """
    former = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    try:
        handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:  # not the main thread: it cannot be changed here, nor is Ctrl-C delivered here
        handler = None
    try:
        yield
    finally:
        if handler is not None:
            signal.signal(signal.SIGINT, handler)
        for name, value in former.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
