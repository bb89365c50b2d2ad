"""The networks that come with the program."""

from __future__ import annotations

import pytest

from ienfd.errors import EnvironmentProblem
from ienfd.networks import files
from ienfd.networks.files import trained


def test_a_damaged_file_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    trained.cache_clear()
    monkeypatch.setitem(files._SHA256, "fibers_2", "0" * 64)
    with pytest.raises(EnvironmentProblem, match="Install ienfd again"):
        trained("fibers_2")
    trained.cache_clear()
