"""Work beside the window: what comes of it arrives in the thread of the window."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from qtpy.QtCore import QObject, Qt, Signal

__all__ = ["QtBackground"]

_LOG = logging.getLogger("ienfd.review")


class QtBackground(QObject):
    """Runs one piece of work after the other in a thread of its own.

    Warnings become lines of the log: one that is raised beside the window would stop it.
    """

    _done = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ienfd-review")
        self._done.connect(_deliver, Qt.ConnectionType.QueuedConnection)

    def __call__(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """Run `work` beside the window, then `then` with its result in it; see `review.canvas.Background`."""
        self._pool.submit(self._run, work, then)

    def close(self) -> None:
        """Let go of the thread; what has not begun is not done."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                result = work()
        except Exception:
            _LOG.exception("work beside the window failed")
            return
        for warning in caught:
            _LOG.debug("%s", warning.message)
        self._done.emit(then, result)


def _deliver(then: Callable[[Any], None], result: Any) -> None:
    then(result)
