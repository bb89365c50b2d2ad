"""Teach a network, on synthetic sections of development seeds.

    python -m benchmarks.networks OUT fibers --seconds 280

Makes the sections, has them analyzed as far as the network is asked, teaches it and writes it to OUT; a tenth
of the sections is kept back, and on them it is judged. It is also shown skin or lines drawn at random, views
of other drawings (`--also`) and, for the fibers, sections that are less in focus. Needs PyTorch (`pip install
torch`) and, to be done in minutes, a GPU; a network that goes on from another (`--first`) learns in half an
hour on two cores.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.accuracy.plan import PlannedSection, plan_kinds, plan_sections
from benchmarks.networks.fiber_views import see_drawn, see_fibers, see_softened
from benchmarks.networks.junction_views import see_drawn_skin, see_junctions
from benchmarks.networks.views import make_drawn_views, make_views

_KEPT_BACK = 10  # every so many sections one
_SECTIONS, _SOFTENED, _DRAWN = 0.4, 0.1, 0.5  # shares of what a network is shown


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what the network is worth on the sections kept back."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.networks", description=__doc__)
    parser.add_argument("out", type=Path, help="folder for images, views and the network")
    parser.add_argument("network", choices=["junction", "fibers"], help="which one")
    parser.add_argument("--kinds", type=int, default=400, help="phantoms of all kinds, from seed 8000")
    parser.add_argument("--sections", type=int, default=200, help="of both generators, from seed 8600")
    parser.add_argument("--seconds", type=float, default=500.0, help="how long it is taught")
    parser.add_argument("--drawings", type=int, default=260, help="of skin or lines at random")
    parser.add_argument(
        "--also",
        type=Path,
        nargs="*",
        default=[],
        help="folders of views of other drawings, in files as those of OUT/NETWORK_views",
    )
    parser.add_argument("--first", type=Path, help="a network from which the new one goes on")
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args(arguments)
    try:
        from benchmarks.networks.fibers import average_precisions, read_fiber_views, teach_fibers
        from benchmarks.networks.junction import read_junction_views, teach_junction, wrong_share
        from benchmarks.networks.learn import write_network
    except ModuleNotFoundError as error:
        sys.exit(f"{error.name} is missing: pip install torch")
    junction = args.network == "junction"
    planned: list[PlannedSection] = [*plan_kinds(args.kinds, 8000), *plan_sections(args.sections, 8600)]
    see = see_junctions if junction else see_fibers
    files = make_views(args.out, f"{args.network}_views", see, planned, args.workers)
    kept_back = files[::_KEPT_BACK]
    taught = [file for file in files if file not in kept_back]
    draw, folder = (see_drawn_skin, "skin_views") if junction else (see_drawn, "drawn_views")
    drawn = make_drawn_views(args.out, folder, draw, args.drawings, args.workers)
    drawings = [views for views in (drawn, *(sorted(also.glob("*.npz")) for also in args.also)) if views]
    shown = [(taught, _SECTIONS), *((views, _DRAWN / len(drawings)) for views in drawings)]
    network = args.out / f"{args.network}.npz"
    if junction:
        junctions = [(read_junction_views(views), share) for views, share in shown]
        write_network(teach_junction(junctions, args.seconds, first=args.first), network)
        before, after = wrong_share(network, read_junction_views(kept_back))
        print(
            f"on the wrong side within 25 um: {before:.4f} as it was found, {after:.4f} by the network alone"
        )
    else:
        names = {file.stem for file in taught}
        learned_from = [section for section in planned if section.name in names]
        softened = make_views(args.out, "softened_views", see_softened, learned_from, args.workers)
        fibers = [(read_fiber_views(views), share) for views, share in [*shown, (softened, _SOFTENED)]]
        write_network(teach_fibers(fibers, args.seconds, first=args.first), network)
        before, after = average_precisions(network, read_fiber_views(kept_back))
        print(f"average precision of pixels: {before:.4f} by contrast, {after:.4f} by the network alone")
    return 0


if __name__ == "__main__":
    sys.exit(main())
