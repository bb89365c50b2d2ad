"""From a spec and a seed to a phantom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ienfd.phantom.brightfield import bright_field_image, chromogen_vector
from ienfd.phantom.fluorescence import fluorescence_image
from ienfd.phantom.microscope import prepare
from ienfd.phantom.scene import build_scene
from ienfd.phantom.spec import PhantomSpec
from ienfd.phantom.truth import Truth, describe
from ienfd.phantom.visibility import visibilities

__all__ = ["Phantom", "make"]


@dataclass(frozen=True, eq=False)
class Phantom:
    """A synthetic section.

    Parameters
    ----------
    pixels : (Z, H, W, C) ndarray of uint8 or uint16
        As a file would hold them; C = 3 and `rgb` for bright-field.
    rgb : bool
        Whether the samples are red, green, blue.
    channels : tuple of str
        Names of the channels (fluorescence).
    truth : Truth
        What is in it.
    """

    pixels: NDArray[Any]
    rgb: bool
    channels: tuple[str, ...]
    truth: Truth

    @property
    def spec(self) -> PhantomSpec:
        """The spec it was made from."""
        return self.truth.spec


def make(spec: PhantomSpec, seed: int) -> Phantom:
    """Make a phantom; the same spec and seed give the same pixels.

    Parameters
    ----------
    spec : PhantomSpec
        Everything that differs between phantoms.
    seed : int
        Not negative; decides everything the spec leaves to chance.
    """
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(3)]
    scene = build_scene(spec, streams[0])
    specimen = prepare(spec, scene, streams[1])
    channels: tuple[str, ...] = ("red", "green", "blue")
    color = None
    if spec.stain == "fluorescence":
        pixels, channels = fluorescence_image(spec, specimen, streams[2])
    else:
        pixels, color = bright_field_image(spec, specimen, streams[2]), chromogen_vector(spec)
    truth = describe(spec, seed, scene, specimen.shape, visibilities(spec, specimen, pixels, color))
    return Phantom(pixels, color is not None, channels, truth)
