"""PNG files that are the same bytes for the same picture."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

__all__ = ["save_png"]


def save_png(image: Image.Image, path: Path) -> None:
    """Write a picture as PNG, without times or other metadata.

    Parameters
    ----------
    image : PIL.Image.Image
        From `overlay`.
    path : Path
        File to write.
    """
    image.save(path, format="PNG", optimize=False, compress_level=6)
