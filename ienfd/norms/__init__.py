"""Reference sets with citation, frame and verification, and the limit for an age and sex.

A norm is a data file; nothing in it is evaluated. Those that come with ienfd hold verified figures
only.
"""

from __future__ import annotations

from ienfd.norms.norm import Limit, Norm
from ienfd.norms.registry import available, load

__all__ = ["Limit", "Norm", "available", "load"]
