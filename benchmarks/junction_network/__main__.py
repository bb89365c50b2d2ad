"""Teach the network that draws the junction, on synthetic sections of development seeds.

    python -m benchmarks.junction_network OUT --seconds 500

Makes the sections, has them analyzed as far as the junction, teaches the network and writes it to
OUT/junction_network.npz; a tenth of the sections is kept back, and on them it is judged. Needs PyTorch
(`pip install torch`) and, to be done in minutes, a GPU.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.accuracy.plan import PlannedSection, plan_kinds, plan_sections
from benchmarks.junction_network.views import make_views

_KEPT_BACK = 10  # every so many sections one


def main(arguments: Sequence[str] | None = None) -> int:
    """Print how much of what lies beside the junction is on the wrong side, without the network and with."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.junction_network", description=__doc__)
    parser.add_argument("out", type=Path, help="folder for images, views and the network")
    parser.add_argument("--kinds", type=int, default=400, help="phantoms of all kinds, from seed 8000")
    parser.add_argument("--sections", type=int, default=200, help="of both generators, from seed 8600")
    parser.add_argument("--seconds", type=float, default=500.0, help="how long it is taught")
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args(arguments)
    try:
        from benchmarks.junction_network.train import read_views, teach, write_network, wrong_share
    except ModuleNotFoundError as error:
        sys.exit(f"{error.name} is missing: pip install torch")
    planned: list[PlannedSection] = [*plan_kinds(args.kinds, 8000), *plan_sections(args.sections, 8600)]
    files = make_views(args.out, planned, args.workers)
    kept_back = files[::_KEPT_BACK]
    network = args.out / "junction_network.npz"
    write_network(teach(read_views([f for f in files if f not in kept_back]), args.seconds), network)
    before, after = wrong_share(network, read_views(kept_back))
    print(f"on the wrong side within 25 um: {before:.4f} as it was found, {after:.4f} by the network alone")
    return 0


if __name__ == "__main__":
    sys.exit(main())
