"""Synthetic skin sections with exact truth, rendered as the files a laboratory would have.

The room knows nothing of the detector, and the detector nothing of it.
"""

from __future__ import annotations

from ienfd.phantom.files import FileFormat, write, write_set
from ienfd.phantom.make import Phantom, make
from ienfd.phantom.spec import PhantomSpec, random_spec
from ienfd.phantom.truth import Truth, read_truth, write_truth

__all__ = [
    "FileFormat",
    "Phantom",
    "PhantomSpec",
    "Truth",
    "make",
    "random_spec",
    "read_truth",
    "write",
    "write_set",
    "write_truth",
]
