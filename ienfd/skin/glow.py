"""What nerves and cells shed on the tissue around them, taken out.

In a section of 50 um most of a nerve lies out of focus: about its line there is a haze, in fluorescence
often brighter than the tissue itself. It fills papillae, in which nerves run, and makes dermis look like
epidermis. It is what the nerves hold, spread; how far and how much, the section tells.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from ienfd.stain.blur import wide_blur, wide_mean

__all__ = ["without_glow"]

_Float32 = NDArray[np.float32]
_Mask = NDArray[np.bool_]

_SPREAD_UM = (3.0, 6.0, 12.0)
_BESIDE_UM = 8.0  # what a nerve stands out from
_TISSUE_UM = 25.0  # tissue varies over such distances, whatever the nerves do
_NOTICED = 0.03  # of the strongest glow
_EVERY = 3  # neighbors are much alike
_OUTER = 0.02  # of the samples, at either end: dirt and gaps
_FEWEST_NERVE, _FEWEST = 50, 100
_EXPLAINED = 0.02  # of the variance about nerves; where none glows, less than 0.01


def without_glow(light: _Float32, nerve: _Float32, nerves: _Mask, tissue: _Mask, px: float) -> _Float32:
    """Take out of the light of the tissue what nerves add to it from the side.

    Parameters
    ----------
    light : (K, H, W) ndarray of float32
        What adds up: light of fluorescence, or optical density.
    nerve : (H, W) ndarray of float32
        The same of the nerve stain.
    nerves : (H, W) ndarray of bool
        Where nerves and cells lie; nothing is changed there.
    tissue : (H, W) ndarray of bool
        Where there is tissue.
    px : float
        Pixel edge in micrometers.

    Returns
    -------
    (K, H, W) ndarray of float32
        Planes in which the glow explains little are left as they are.
    """
    known = tissue & ~nerves
    if (nerves & tissue).sum() < _FEWEST_NERVE:
        return light
    beside, round_about = (wide_mean(known, um / px) for um in (_BESIDE_UM, _TISSUE_UM))
    source = np.where(nerves & tissue, np.maximum(nerve - beside(nerve), 0), 0)
    spread = np.stack([wide_blur(source.astype(np.float32), um / px) for um in _SPREAD_UM])
    noticed = (spread / np.maximum(spread.max(axis=(1, 2), keepdims=True), 1e-9)).sum(axis=0) > _NOTICED
    places = np.flatnonzero(noticed & known)[::_EVERY]
    if len(places) < _FEWEST:
        return light

    def local(image: _Float32) -> NDArray[np.float64]:
        return (image - round_about(image)).ravel()[places].astype(float)

    asked = np.column_stack([local(image) for image in spread])
    out = light.copy()
    for plane in out:
        seen = local(plane)
        seen = np.clip(seen, *np.quantile(seen, [_OUTER, 1 - _OUTER]))
        shares, rest = nnls(asked, seen)
        if rest**2 < (1 - _EXPLAINED) * float(seen @ seen):
            plane -= np.where(nerves, 0, np.tensordot(shares.astype(np.float32), spread, 1))
    return out
