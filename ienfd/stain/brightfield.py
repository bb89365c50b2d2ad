"""Bright-field: the light of the glass, optical density, and the direction of the nerve chromogen.

Optical density is linear in the amount of dye (Beer-Lambert), so the colors of dyes add up as
vectors (Ruifrok and Johnston 2001). The vector of the nerve chromogen is estimated from the
thinnest dark structures of the image itself, with the published vector of DAB as a prior.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.legendre import legvander, legvander2d
from numpy.typing import NDArray
from scipy import ndimage

from ienfd.stain.grid import mean_of_colors

__all__ = ["WhiteField", "fit_white_field", "optical_density"]

_Float32 = NDArray[np.float32]
_Mask = NDArray[np.bool_]

_STRUCTURE_UM = (1.5, 6.0)
_POOL_UM = 10.0
_GLASS_TEXTURE, _FLATTEST = 2.5, 1.6  # times the texture of the flattest places
_SHADE = 0.12  # optical density below the brightest glass
_DEGREE = 4
_HELD_BACK = np.array([0.0, 2e-4, 3e-3, 3e-3, 3e-3])  # by degree, where all of the glass is known
_HELD_BACK_GROWING = np.array([0.0, 2e-3, 3e-2])  # where it is only sought: a parabola is all that is safe
_ORDER = np.add.outer(np.arange(_DEGREE + 1), np.arange(_DEGREE + 1))
# what is the same in all directions, the square of the distance and its square, in terms of their degree
_ROUND = {2: {(2, 0): 1.0, (0, 2): 1.0}, 4: {(4, 0): 8 / 35, (2, 2): 8 / 9, (0, 4): 8 / 35}}
_ROUND_HELD_BACK = 0.05  # times as much as others: optics darken the rim of a field
_SPREAD = (1e-3, 0.015)  # optical density: no glass agrees with a surface better, none worse
# optical density by which the flattest places may differ: at first, of that from round to round, at last
_FROM, _NARROWED, _TO = 0.01, 0.7, 0.004
_ROUNDS, _CALM_ROUNDS = 10, 3
_FEWEST = 100  # places that a surface is laid through
# nothing sends more light than glass: what is this uneven, and has so large a share of the image brighter
# by so much, is no glass
_UNEVEN, _SHARE_BRIGHTER, _BRIGHTER = 0.006, 0.05, 0.02
_ENOUGH = 0.5  # of the flattest places that the better surface explains
_TWO_COLORS = 0.002  # logarithm of light: glass of synthetic sections differs by a tenth of it
_MANY_COLORS = 0.025  # nor is what changes its color so much (logarithm): light through glass does not
_HELD_BACK_PLANE = np.array([0.0, 0.05])
_LITTLE = 0.1  # of the image: more glass than that is found without asking what bounds it
_RIM_UM, _BEYOND_UM, _FALLS = 20.0, 60.0, 0.05  # within and beyond the rim of glass; logarithm of light
_BRIGHTEST, _AS_BRIGHT = 0.98, 0.004  # quantile of the flat places; optical density by which they differ


@dataclass(frozen=True, eq=False)
class WhiteField:
    """Logarithm of the light through glass, a smooth surface for every color.

    Parameters
    ----------
    coefficients : (5, 5, C) ndarray of float
        Of the products of Legendre polynomials of y and x, which run from -1 to 1 over the image, up to
        a degree of 4 in all.
    noise : (C,) ndarray of float
        Standard deviation of the optical density of glass at the resolution of the fit.
    """

    coefficients: NDArray[np.float64]
    noise: NDArray[np.float64]

    def at(self, rows: NDArray[np.float64], cols: NDArray[np.float64]) -> _Float32:
        """(len(rows), len(cols), C) logarithm of the light at normalized positions."""
        down, across = legvander(rows, _DEGREE), legvander(cols, _DEGREE)
        by_row = np.tensordot(down, self.coefficients, 1)
        field = across @ by_row  # products of matrices: this is asked for every tile
        return np.asarray(field, np.float32)


def positions(start: float, stop: float, count: int, size: int) -> NDArray[np.float64]:
    """Normalized positions (-1 to 1 over `size` pixels) of `count` samples from `start` to `stop`."""
    step = (stop - start) / count
    return (start + (np.arange(count) + 0.5) * step) / size * 2 - 1


def fit_white_field(log_light: _Float32, photographed: _Mask, px_um: float) -> WhiteField:
    """Fit a smooth surface to the light of the glass.

    Glass is flat, and nothing is brighter. Two fits are made, and the one that leaves fewest of the
    flattest places unexplained is taken, unless it is uneven and much of the image is brighter, or it
    passes through places of different colors: it takes a dermis without texture for glass. One goes
    through the flattest places however dark: where these are all of the glass, they show its whole course.
    The other begins with the bright ones among flat places and takes in whatever agrees with it: where
    tissue is as flat as glass, brightness tells them apart.
    Where neither is possible, both have taken a pale dermis for glass, beside a narrow strip of glass or
    without any. Then glass is a small flat region from whose rim the light falls, and where there is none, a
    plane is laid through the brightest of the flat places.
    Curvature is held back unless the glass shows it: a strip of glass along one edge says nothing about
    the other end of the image. Light that falls off alike toward all sides is held back least, as optics
    cause it: glass at one end is then enough to tell how dark the other is.

    Parameters
    ----------
    log_light : (H, W, C) ndarray of float32
        Logarithm of the intensities at low resolution.
    photographed : (H, W) ndarray of bool
        False on the margin of a mosaic.
    px_um : float
        Its pixel edge in micrometers.

    Returns
    -------
    WhiteField
    """
    rows, cols = log_light.shape[:2]
    step = max(1, int(np.sqrt(rows * cols / 60_000)))
    total = mean_of_colors(log_light)
    # structures of the size of fibers and cells: finer than that, noise is as strong on glass
    fine, coarse = (ndimage.gaussian_filter(total, size / px_um) for size in _STRUCTURE_UM)
    texture = ndimage.gaussian_filter(np.abs(fine - coarse), _POOL_UM / px_um)
    sample = ndimage.gaussian_filter(log_light, (1.5, 1.5, 0))
    y, x = np.meshgrid(*(positions(0, size, size, size)[::step] for size in (rows, cols)), indexing="ij")
    known = photographed[::step, ::step]
    design = np.asarray(legvander2d(y[known], x[known], [_DEGREE, _DEGREE]), float)
    texture, values = texture[::step, ::step][known], sample[::step, ::step][known].astype(np.float64)
    # a pale dermis may be brighter than glass in the shade, but it is not as flat
    even = np.quantile(texture, 0.02)
    glassy, flattest = (texture <= times * even for times in (_GLASS_TEXTURE, _FLATTEST))
    light = values.mean(axis=1)
    start = glassy & (texture <= np.quantile(texture, 0.25))
    bright = start & (light > np.quantile(light[start], 0.95) - _SHADE)
    # textured places are taken in only once the surface is settled
    calm = [glassy & (texture <= np.quantile(texture, 0.25 + 0.1 * round_)) for round_ in range(_CALM_ROUNDS)]
    growing = calm + [glassy] * (_ROUNDS - _CALM_ROUNDS)
    narrowing = [max(_TO, _FROM * _NARROWED**round_) for round_ in range(_ROUNDS)]
    fits = (
        _fitted(_Surface(design, values, _HELD_BACK_GROWING), bright, growing, [0.0] * _ROUNDS),
        _fitted(_Surface(design, values, _HELD_BACK), flattest, [flattest] * _ROUNDS, narrowing),
    )
    possible = [fit for fit in fits if fit.may_be_glass(glassy)]
    if possible:
        explained = {fit: float(fit.agrees[flattest].mean()) for fit in possible}
        enough = _ENOUGH * max(explained.values())
        plain = [
            fit for fit in possible if explained[fit] > enough and _of_one_color(values, fit.agrees, flattest)
        ]
        return max(plain or possible, key=explained.__getitem__).field
    flat = np.zeros(known.shape, bool)
    flat[known] = glassy
    bounded = _bounded(flat, sample.mean(axis=-1)[::step, ::step], px_um * step)[known]
    if bounded.any():
        growing_surface = _Surface(design, values, _HELD_BACK_GROWING)
        return _fitted(growing_surface, bounded, [bounded] * _ROUNDS, narrowing).field
    brightest = glassy & (light > np.quantile(light[glassy], _BRIGHTEST) - _AS_BRIGHT)
    plane = _Surface(design, values, _HELD_BACK_PLANE, widest=_AS_BRIGHT)
    return _fitted(plane, brightest, [glassy] * _ROUNDS, [0.0] * _ROUNDS).field


def _bounded(flat: _Mask, light: _Float32, px_um: float) -> _Mask:
    """The small flat region of an (H, W) image from whose rim the light (logarithm) falls most, if one does.

    A flat part of the dermis lies amid dermis that is as bright, or beside an epidermis; but from glass the
    light falls farther.
    """
    labels, count = ndimage.label(flat)
    rim, beyond = (max(1, round(um / px_um)) for um in (_RIM_UM, _BEYOND_UM))
    falls = np.zeros(count + 1)
    sizes = np.bincount(labels.ravel())[1:]
    for number in 1 + np.flatnonzero((sizes >= _FEWEST) & (sizes <= _LITTLE * labels.size)):
        region = labels == number
        inner = region & ndimage.binary_dilation(~region, iterations=rim)
        outer = ndimage.binary_dilation(region, iterations=beyond)
        outer &= ~ndimage.binary_dilation(region, iterations=rim) & ~flat
        if inner.any() and outer.any():
            falls[number] = np.median(light[inner]) - np.median(light[outer])
    return np.asarray((labels == falls.argmax()) & (falls.max() > _FALLS), bool)


def _of_one_color(values: NDArray[np.float64], agrees: _Mask, flattest: _Mask) -> bool:
    """Whether the flattest places of a surface have the color of the others.

    A dermis that it passes through is less even than glass, and of another color, be it hardly so.
    """
    colors = values - values.mean(axis=1, keepdims=True)
    groups = [colors[agrees & flattest], colors[agrees & ~flattest]]
    if min(map(len, groups)) < _FEWEST:
        return True
    one, other = (np.median(group, axis=0) for group in groups)
    return float(np.abs(one - other).max()) <= _TWO_COLORS


@dataclass(frozen=True, eq=False)
class _Fit:
    """A surface, and which places agree with it.

    By how much brighter every place is, and by how much the surface itself changes its color among the
    places that agree, are logarithms.
    """

    field: WhiteField
    agrees: _Mask
    brighter: NDArray[np.float64]
    changes_color: float

    def may_be_glass(self, flat: _Mask) -> bool:
        """Whether it has one color and nothing is brighter.

        Where it is itself as even as glass, only what is flat, too, may not be: where a pale dermis lies
        in brighter light than all of the glass, the surface beyond the glass is a guess.
        """
        places = self.brighter > _BRIGHTER
        if self.field.noise.mean() <= _UNEVEN:
            places = places & flat
        return bool(self.changes_color <= _MANY_COLORS and places.mean() <= _SHARE_BRIGHTER)


def _fitted(surface: _Surface, start: _Mask, within: Sequence[_Mask], least: Sequence[float]) -> _Fit:
    """The surface through some places and then, round by round, through those that agree with it.

    `within` are the places that may take part in each round, `least` the least spreads (optical density)
    that they are judged by.
    """
    agrees = chosen = start
    for allowed, spread in zip(within, least, strict=True):
        surface.fit(chosen)
        agrees = surface.agrees(spread)
        if (agrees & allowed).sum() < _FEWEST:
            break
        chosen = agrees & allowed
    return _Fit(surface.field(), agrees, surface.brighter, surface.changes_color(agrees))


class _Surface:
    """A surface that is fitted to chosen places, as smooth as they let it be.

    Parameters
    ----------
    design : (N, 25) ndarray of float
        Products of Legendre polynomials of y and x at every place, see `WhiteField`.
    values : (N, C) ndarray of float
        Logarithm of the light there.
    held_back : (K,) ndarray of float
        By how much terms of degree 0 to K - 1 are held back, what is the same in all directions less;
        higher ones are left out.
    widest : float
        The largest spread (optical density) that places are judged by.
    """

    def __init__(
        self,
        design: NDArray[np.float64],
        values: NDArray[np.float64],
        held_back: NDArray[np.float64],
        widest: float = _SPREAD[1],
    ) -> None:
        self._used = (len(held_back) > _ORDER).ravel()
        self._penalty = _penalty(held_back)[np.ix_(self._used, self._used)]
        self._design = design[:, self._used]
        self._values = values
        self._coefficients = np.zeros((int(self._used.sum()), values.shape[1]))
        self._limits = (_SPREAD[0], widest)
        self._spread = np.full(values.shape[1], widest)
        self._residual = values

    def fit(self, chosen: _Mask) -> None:
        """Fit it to some of the places."""
        used, count = self._design[chosen], int(chosen.sum())
        normal = used.T @ used / count + self._penalty
        seen = used.T @ self._values[chosen] / count
        self._coefficients = np.asarray(np.linalg.solve(normal, seen), float)
        self._residual = self._values - self._design @ self._coefficients
        spread = 1.4826 * np.median(np.abs(self._residual[chosen]), axis=0)
        self._spread = np.clip(spread, *self._limits)

    @property
    def brighter(self) -> NDArray[np.float64]:
        """(N,) by how much more light there is at every place than the surface says (logarithm)."""
        return np.asarray(self._residual.mean(axis=1), float)

    def changes_color(self, among: _Mask) -> float:
        """By how much light of one color changes against the mean of all, among some places (logarithm)."""
        if not among.any():
            return 0.0
        light = self._design[among] @ self._coefficients
        against_mean = np.quantile(light - light.mean(axis=1, keepdims=True), [0.05, 0.95], axis=0)
        return float(np.ptp(against_mean, axis=0).max())

    def agrees(self, least: float) -> _Mask:
        """Which places look like glass: tissue is darker, so that less is allowed on that side.

        Parameters
        ----------
        least : float
            The least spread (optical density) that they are judged by.
        """
        score = self._residual / np.maximum(self._spread, least)
        return np.asarray((score > -3).all(1) & (score < 6).all(1), bool)

    def field(self) -> WhiteField:
        """The surface over the whole image."""
        whole = np.zeros((len(self._used), self._values.shape[1]))
        whole[self._used] = self._coefficients
        return WhiteField(whole.reshape(_DEGREE + 1, _DEGREE + 1, -1), np.asarray(self._spread, float))


def _penalty(held_back: NDArray[np.float64]) -> NDArray[np.float64]:
    """(25, 25) by how much the terms of a surface are held back, of degrees not given as of the highest."""
    penalty = np.diag(held_back[np.minimum(_ORDER, len(held_back) - 1).ravel()])
    for degree, terms in _ROUND.items():
        if degree < len(held_back):
            even = np.zeros(_ORDER.shape)
            for (down, across), part in terms.items():
                even[down, across] = part
            direction = even.ravel() / np.linalg.norm(even)
            penalty -= held_back[degree] * (1 - _ROUND_HELD_BACK) * np.outer(direction, direction)
    return penalty


def optical_density(light: _Float32, white: _Float32, floor: float) -> _Float32:
    """Optical density (natural logarithm) against the light of the glass.

    Parameters
    ----------
    light : (..., C) ndarray
        Intensities.
    white : (..., C) ndarray
        Logarithm of the light of the glass at the same places.
    floor : float
        Lowest intensity that is told from black, in the units of `light`.

    Returns
    -------
    (..., C) ndarray of float32
    """
    return white - np.log(np.maximum(light, floor))
