"""How well a reader could see a true crossing in the finished image.

Deep inside a thick section, behind nuclei or in noise, some fibers that pass the junction leave no trace that
anybody could find. An observer that knows each fiber's exact shape and color looks for it: the response
of that template at its place, over the spread of its responses to the surroundings. It sees the finished pixels,
so everything counts: focus, noise, nuclei, the compression of the file.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.signal import fftconvolve

from ienfd.phantom.anatomy import Skin
from ienfd.phantom.curves import FloatArray
from ienfd.phantom.microscope import Specimen, focuses
from ienfd.phantom.optics import Cloud, Image, render_cloud
from ienfd.phantom.spec import PhantomSpec

__all__ = ["visibilities"]

_ARM_UM = 10.0  # as much of a fiber on either side of the junction
_AROUND_UM = 20.0  # surroundings that the fiber has to stand out from
_NEAR_UM = 3.0  # closer, the template still meets its own fiber
_DETAIL_UM = 3.0  # slower changes of the background are no part of a fiber's look


def visibilities(
    spec: PhantomSpec, specimen: Specimen, pixels: NDArray[Any], color: FloatArray | None
) -> list[tuple[float, float]]:
    """Visibility of each crossing of the scene, above and below the junction.

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
    list of (float, float)
        Response of the observer over its spread in the surroundings; 0 where nothing of the arm lies in
        the image.
    """
    found = []
    for crossing in specimen.scene.crossings:
        cloud = specimen.nerves[crossing.fiber_id]
        away = np.linalg.norm(cloud.points_um - crossing.point_um, axis=1)
        height = _height_um(specimen.scene.skins, crossing.point_um, cloud.points_um)
        arms = [
            _part(cloud, (away < _ARM_UM) & (height * side > 0.5)) for side in (1.0, -1.0)
        ]
        above, below = (_visibility(spec, arm, crossing.point_um, pixels, color) for arm in arms)
        found.append((above, below))
    return found


def _height_um(skins: list[Skin], point_um: FloatArray, points_um: FloatArray) -> FloatArray:
    """Height above the junction of the piece of skin whose junction the point lies on."""
    skin = min(skins, key=lambda skin: abs(float(skin.height_um(point_um[None])[0])))
    return skin.height_um(points_um)


def _part(cloud: Cloud, kept: NDArray[np.bool_]) -> Cloud:
    return Cloud(cloud.points_um[kept], cloud.weights[kept], cloud.softness_um)


def _visibility(
    spec: PhantomSpec, arm: Cloud, center_um: FloatArray, pixels: NDArray[Any], color: FloatArray | None
) -> float:
    pixel = spec.pixel_size_um
    reach = int(np.ceil((_AROUND_UM + _ARM_UM) / pixel))
    center = np.rint(center_um[:2] / pixel).astype(int)
    first = np.maximum(center - reach, 0)
    last = np.minimum(center + reach + 1, pixels.shape[1:3])
    if len(arm.points_um) == 0 or np.any(last - first < 8):
        return 0.0
    shape = (int(last[0] - first[0]), int(last[1] - first[1]))
    moved = Cloud(arm.points_um - np.append(first * pixel, 0.0), arm.weights, arm.softness_um)
    looks = [render_cloud(moved, shape, pixel, focus) for focus in focuses(spec)]
    window = pixels[:, first[0] : last[0], first[1] : last[1]]
    if spec.planes == "stack":
        return max(_response(spec, look, plane, color) for look, plane in zip(looks, window, strict=True))
    return _response(spec, np.max(looks, axis=0), window[0], color)


def _response(spec: PhantomSpec, look: Image, window: NDArray[Any], color: FloatArray | None) -> float:
    pixel = spec.pixel_size_um
    template = _detail(look, pixel)
    if color is None:
        layers = _detail(window[..., 0].astype(np.float32), pixel)[..., None]
        weights = np.ones(1)
    else:
        density = -np.log(np.maximum(window.astype(np.float32), 1.0) / 255.0)
        layers = np.stack([_detail(density[..., k], pixel) for k in range(3)], axis=-1)
        spread = np.cov(layers.reshape(-1, 3), rowvar=False) + 1e-9 * np.eye(3)
        weights = np.linalg.solve(spread, color)
    view = layers @ weights
    responses = fftconvolve(view, template[::-1, ::-1], mode="same")
    middle = (np.array(template.shape) - 1) // 2
    # `same` centers the full correlation; the response without a shift lies where the template is itself
    rows, cols = np.indices(template.shape)
    here = (template.shape[0] - 1) - (template.shape[0] - 1) // 2, (template.shape[1] - 1) - (
        template.shape[1] - 1
    ) // 2
    distance = np.hypot(rows - here[0], cols - here[1]) * pixel
    around = responses[(distance > _NEAR_UM) & (distance < _AROUND_UM)]
    at = responses[distance <= 0.8].max()
    middle_value = np.median(around)
    spread_value = 1.4826 * np.median(np.abs(around - middle_value))
    return float(max((at - middle_value) / max(spread_value, 1e-12), 0.0))


def _detail(image: Image, pixel_um: float) -> Image:
    return np.asarray(image - gaussian_filter(image, _DETAIL_UM / pixel_um), dtype=np.float32)
