"""Reading sections from image files: readers chosen by magic number, calibration with its source."""

from __future__ import annotations

from ienfd.io.content import IMAGE_SUFFIXES, file_sha256, is_image
from ienfd.io.described import Described
from ienfd.io.read import describe, read

__all__ = ["IMAGE_SUFFIXES", "Described", "describe", "file_sha256", "is_image", "read"]
