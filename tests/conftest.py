"""Settings of all tests, and the databases that a study can lie in."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from benchmarks.reliability.postgresql import USER, find_programs, new_database, running_server
from ienfd.study.config import CONFIG_NAME

# The same examples every time, so that a change is to blame for what fails after it. To look for new
# ones: pytest --hypothesis-profile=default
settings.register_profile("steady", derandomize=True, deadline=None)  # machines are busy
settings.load_profile("steady")

# A shell that starts the tests in the background has them ignore interrupts, and every process that
# they start inherits that: those which are interrupted by a test would never notice.
signal.signal(signal.SIGINT, signal.default_int_handler)

# What somebody has entered as norms, or pinned as validated, on this machine is none of the tests' business.
os.environ["IENFD_NORMS"] = str(Path(__file__).parent / "no_norms_here")
os.environ["IENFD_VALIDATED"] = str(Path(__file__).parent / "nothing_validated_here.toml")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """Address of a server of this test process; `.ci/run` installs it, and then it must run."""
    if find_programs() is None and "IENFD_REQUIRE_POSTGRESQL" not in os.environ:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    with running_server() as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def study_folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study that does not exist yet, or one whose database is an empty one on a server."""
    folder = tmp_path / "study"
    if request.param == "postgresql":
        monkeypatch.setenv("IENFD_DATABASE_USER", USER)
        url = new_database(request.getfixturevalue("postgresql"))
        folder.mkdir()
        (folder / CONFIG_NAME).write_text(f'format = 1\ndatabase = "{url}"\n', encoding="utf-8")
    return folder
