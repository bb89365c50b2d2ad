"""`python -m ienfd`."""

from __future__ import annotations

import sys

from ienfd.cli import main

if __name__ == "__main__":
    sys.exit(main())
