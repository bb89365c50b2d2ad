"""Whether a reader could see a true crossing in the finished image.

Deep inside a thick section, behind nuclei or in noise, some fibers that pass the junction leave no trace that
anybody could find. An observer that knows each fiber's exact shape and color looks for it: the response
of that template at its place, over the spread of its responses to the tissue around. It looks at the finished
pixels, so everything counts: focus, noise, nuclei, the compression of the file. An observer needs a ratio
of about 5 to be sure (Rose 1948, J Opt Soc Am 38:196).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, gaussian_filter
from scipy.signal import fftconvolve

from ienfd.phantom.curves import FloatArray
from ienfd.phantom.microscope import Specimen, focuses
from ienfd.phantom.optics import Cloud, Focus, Image, merge_clouds, render_cloud
from ienfd.phantom.spec import PhantomSpec

__all__ = ["visibilities"]

_ARM_UM = 10.0  # as much of a fiber on either side of the junction
_AROUND_UM = 20.0  # the tissue that it has to stand out from
_NEAR_UM = 3.0  # closer, the template still meets its own fiber
_PLACE_UM = 0.8
_DETAIL_UM = 3.0  # slower changes of the background are no part of a fiber's look
_NERVE_UM = 1.5


def visibilities(
    spec: PhantomSpec, specimen: Specimen, pixels: NDArray[Any], color: FloatArray | None
) -> list[float]:
    """Visibility of each crossing of the scene: that of its fainter side.

    Parameters
    ----------
    spec : PhantomSpec
        How it was photographed.
    specimen : Specimen
        What was photographed.
    pixels : (Z, H, W, C) ndarray
        The finished image.
    color : (3,) ndarray or None
        Optical density of the nerve stain in red, green, blue; None for fluorescence, whose first
        channel is the nerve stain.

    Returns
    -------
    list of float
        Response of the observer over its spread in the surroundings, on the side of the junction where
        less of the fiber is seen; 0 where nothing of that side lies in the image.
    """
    found = []
    for crossing in specimen.scene.crossings:
        point, number = crossing.point_um, crossing.fiber_id
        skin = min(specimen.scene.skins, key=lambda skin: abs(float(skin.height_um(point[None])[0])))
        fiber = _near(specimen.nerves[number], point, _ARM_UM)
        above = skin.height_um(fiber.points_um) > 0
        others = merge_clouds(
            [_near(c, point, 2 * _AROUND_UM) for k, c in enumerate(specimen.nerves) if k != number]
        )
        view = _View.about(point, spec, pixels)
        found.append(min(view.visibility(_part(fiber, side), others, color) for side in (above, ~above)))
    return found


def _part(cloud: Cloud, kept: NDArray[np.bool_]) -> Cloud:
    return Cloud(cloud.points_um[kept], cloud.weights[kept], cloud.softness_um)


def _near(cloud: Cloud, point_um: FloatArray, reach_um: float) -> Cloud:
    return _part(cloud, np.linalg.norm(cloud.points_um[:, :2] - point_um[:2], axis=1) < reach_um)


@dataclass(frozen=True, eq=False)
class _View:
    """A cut-out of the image: (Z, H, W, C) pixels, the first of which lies at `origin_um`."""

    spec: PhantomSpec
    pixels: NDArray[Any]
    origin_um: FloatArray

    @classmethod
    def about(cls, point_um: FloatArray, spec: PhantomSpec, pixels: NDArray[Any]) -> _View:
        size = spec.pixel_size_um
        reach = int(np.ceil((_AROUND_UM + _ARM_UM) / size))
        middle = np.rint(point_um[:2] / size).astype(int)
        first = np.clip(middle - reach, 0, None)
        last = np.minimum(middle + reach + 1, pixels.shape[1:3])
        return cls(spec, pixels[:, first[0] : last[0], first[1] : last[1]], np.append(first * size, 0.0))

    def visibility(self, arm: Cloud, others: Cloud, color: FloatArray | None) -> float:
        """How far the response at an arm stands out, in the plane that shows it best."""
        if not len(arm.points_um) or min(self.pixels.shape[1:3]) < 2 * _NEAR_UM / self.spec.pixel_size_um:
            return 0.0
        looks = [self._render(arm, focus) for focus in focuses(self.spec)]
        if self.spec.planes != "stack":
            looks = [np.max(looks, axis=0)]
        nerves = self._covered(others)
        planes = zip(looks, self.pixels, strict=True)
        return max(self._response(look, plane, nerves, color) for look, plane in planes)

    def _render(self, cloud: Cloud, focus: Focus) -> Image:
        moved = replace(cloud, points_um=cloud.points_um - self.origin_um)
        return render_cloud(moved, self.pixels.shape[1:3], self.spec.pixel_size_um, focus)

    def _covered(self, nerves: Cloud) -> NDArray[np.bool_]:
        """Where other nerves lie, at any depth: they are no part of the tissue around."""
        covered = np.zeros(self.pixels.shape[1:3], bool)
        at = np.rint((nerves.points_um - self.origin_um)[:, :2] / self.spec.pixel_size_um).astype(int)
        at = at[((at >= 0) & (at < covered.shape)).all(axis=1)]
        covered[at[:, 0], at[:, 1]] = True
        return binary_dilation(covered, iterations=max(1, round(_NERVE_UM / self.spec.pixel_size_um)))

    def _response(
        self, look: Image, plane: NDArray[Any], nerves: NDArray[np.bool_], color: FloatArray | None
    ) -> float:
        size = self.spec.pixel_size_um
        template = _detail(look, size)[::-1, ::-1]
        # the response at no shift lies at the last sample of the template in a full convolution
        down, right = (np.arange(1 - length, length) * size for length in look.shape)
        away = np.hypot(down[:, None], right[None, :])
        found = []
        for image in _seen(plane, nerves, color, size):
            around = fftconvolve(np.where(nerves, 0.0, image), template)[
                (away > _NEAR_UM) & (away < _AROUND_UM)
            ]
            place = float(fftconvolve(image, template)[away <= _PLACE_UM].max())
            middle = float(np.median(around))
            spread = 1.4826 * float(np.median(np.abs(around - middle)))
            found.append((place - middle) / max(spread, 1e-12))
        return max(*found, 0.0)


def _seen(
    plane: NDArray[Any], nerves: NDArray[np.bool_], color: FloatArray | None, size: float
) -> list[NDArray[Any]]:
    """What a reader may go by: the light of the stain, its darkness, or what sets its color apart."""
    if color is None:
        return [_detail(plane[..., 0].astype(np.float32), size)]
    density = -np.log(np.maximum(plane.astype(np.float32), 1.0))
    layers = np.stack([_detail(density[..., k], size) for k in range(3)], axis=-1)
    varies = np.cov(layers[~nerves].T) + 1e-9 * np.eye(3)
    return [layers @ color, layers @ np.linalg.solve(varies, color)]


def _detail(image: Image, pixel_um: float) -> Image:
    return np.asarray(image - gaussian_filter(image, _DETAIL_UM / pixel_um), dtype=np.float32)
