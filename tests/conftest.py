"""Settings of all tests."""

from __future__ import annotations

import signal

from hypothesis import settings

# The same examples every time, so that a change is to blame for what fails after it. To look for new
# ones: pytest --hypothesis-profile=default
settings.register_profile("steady", derandomize=True)
settings.load_profile("steady")

# A shell that starts the tests in the background has them ignore interrupts, and every process that
# they start inherits that: those which are interrupted by a test would never notice.
signal.signal(signal.SIGINT, signal.default_int_handler)
