"""napari is imported once, here, where what its import warns of does no harm."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic.warnings import PydanticDeprecatedSince20
from review_scenes import Slide, study

from ienfd.study.store import Store

with warnings.catch_warnings():
    # napari and npe2 define their models in the words of pydantic 1, which pydantic 2 still understands
    warnings.filterwarnings("ignore", category=PydanticDeprecatedSince20)
    from napari.components import ViewerModel


@pytest.fixture
def viewer() -> ViewerModel:
    """A viewer without a window."""
    return ViewerModel()


@pytest.fixture
def slides() -> tuple[Slide, ...]:
    """What the study of a test holds; tests override it."""
    return ()


@pytest.fixture
def store(tmp_path: Path, slides: tuple[Slide, ...]) -> Iterator[Store]:
    with study(tmp_path, *slides) as opened:
        yield opened
