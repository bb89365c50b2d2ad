"""Small images for a running viewer."""

from __future__ import annotations

from pathlib import Path

from ienfd.phantom import PhantomSpec, make, write

__all__ = ["SPEC", "phantom_file"]

SPEC = PhantomSpec(
    stain="fluorescence", length_mm=0.6, pixel_size_um=0.5, dermis_um=150.0, density_per_mm=14.0,
    elastin_per_mm=2.0, clustering=0.2, fiber_photons=200.0, open_left=False, open_right=False,
)  # fmt: skip


def phantom_file(folder: Path, name: str, seed: int = 41) -> Path:
    """A section as a file; its truth lies beside it."""
    return write(make(SPEC, seed), folder, name, "ome-tiff")
