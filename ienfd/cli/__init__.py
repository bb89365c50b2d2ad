"""The command line: thin commands over the rooms.

Nothing here may import image analysis, tables or databases at the top of a module: `ienfd --help`
answers at once.
"""

from __future__ import annotations

from ienfd.cli.main import main

__all__ = ["main"]
