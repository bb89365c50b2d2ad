"""A running viewer: these tests need a screen, real or of Xvfb, and run alone (`pytest -m gui tests/gui`)."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# a person's own settings are neither read nor changed; must be said before napari is imported
os.environ["NAPARI_CONFIG"] = str(Path(tempfile.mkdtemp(prefix="ienfd-napari-")) / "settings.yaml")

with warnings.catch_warnings():
    # napari and npe2 define their models in the words of pydantic 1, which pydantic 2 still understands
    warnings.simplefilter("ignore")
    import npe2  # noqa: F401
    from napari import Viewer
    from napari.layers import Image  # noqa: F401 - napari imports its parts when they are asked for
    from qtpy.QtWidgets import QApplication

from gui_scenes import phantom_file

from ienfd.batch.plan import BatchOptions
from ienfd.batch.run import run_batch

Settle = Callable[..., None]

CASES = "file,case_id,biopsy_id,age_years,sex,site,section_um,planes\n" + "".join(
    f"{name}.ome.tif,C1,C1-left,56,F,distal_leg,50,projection\n" for name in ("one", "two")
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("gui")
            # napari, npe2 and vispy warn of themselves, in their own words, all the time
            for kind in ("DeprecationWarning", "FutureWarning", "ImportWarning", "ResourceWarning"):
                item.add_marker(pytest.mark.filterwarnings(f"ignore::{kind}"))


@pytest.fixture(scope="session")
def analyzed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of two sections of one biopsy, analyzed as a laboratory would."""
    room = tmp_path_factory.mktemp("gui")
    images = room / "images"
    images.mkdir()
    for name, seed in (("one", 41), ("two", 42)):
        phantom_file(images, name, seed)
    (images / "cases.csv").write_text(CASES, encoding="utf-8")
    run_batch(BatchOptions(images, room / "study"), workers=1)
    return room / "study"


@pytest.fixture
def study(analyzed: Path, tmp_path: Path) -> Path:
    """A copy of it, to change."""
    return Path(shutil.copytree(analyzed, tmp_path / "study"))


@pytest.fixture
def settle() -> Settle:
    """Lets the window work until something holds."""

    def until(holds: Callable[[], bool] = lambda: True, seconds: float = 20.0) -> None:
        end = time.monotonic() + seconds
        while True:
            for _ in range(3):
                QApplication.processEvents()
            if holds():
                return
            if time.monotonic() > end:
                raise TimeoutError("the window did not get there")
            time.sleep(0.01)

    return until


@pytest.fixture
def viewer() -> Iterator[Any]:
    """A window of napari."""
    window = Viewer()
    window.window.resize(1366, 768)
    yield window
    window.close()
