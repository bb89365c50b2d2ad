"""Settings of all tests."""

from __future__ import annotations

from hypothesis import settings

# The same examples every time, so that a change is to blame for what fails after it. To look for new
# ones: pytest --hypothesis-profile=default
settings.register_profile("steady", derandomize=True)
settings.load_profile("steady")
