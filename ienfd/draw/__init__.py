"""Pictures of sections and of what was found in them. Nothing else in ienfd renders."""

from __future__ import annotations

from ienfd.draw.overlay import overlay
from ienfd.draw.picture import Picture, picture
from ienfd.draw.png import save_png

__all__ = ["Picture", "overlay", "picture", "save_png"]
