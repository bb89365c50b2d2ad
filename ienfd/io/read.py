"""Read a section from a file, or only what its header says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from ienfd.errors import RefusedError, UnreadableError, UsageError
from ienfd.io.axes import Layout, with_axes
from ienfd.io.calibration import given
from ienfd.io.content import Format, file_sha256, format_of
from ienfd.io.described import Described
from ienfd.io.meaning import Meaning, Scene, understand
from ienfd.io.page import Page, Plane
from ienfd.section import CalibrationSource, Channel, Identity, Section

__all__ = ["describe", "read"]

_MEMORY_SHARE = 0.8


class _Source(Protocol):
    """An open file: pages, and the pixels of a plane."""

    @property
    def pages(self) -> tuple[Page, ...]: ...

    def check(self, plane: Plane) -> None: ...

    def read(self, plane: Plane, target: NDArray[Any]) -> None: ...


def describe(path: Path | str, *, scene: int = 0, axes: str | None = None) -> Described:
    """Read the header of an image file; no pixel is decoded.

    Parameters
    ----------
    path : Path
        The file; its name does not matter.
    scene : int
        Which image of the file.
    axes : str, optional
        Meaning of the axes where the file does not say, for example ``ZCYX``.

    Raises
    ------
    UnreadableError
        If it is empty, damaged, not an image, or its header promises more than the file holds.
    RefusedError
        With `axes_unknown` if `axes` does not fit the file.
    UsageError
        If there is no such scene.
    """
    with _opened(Path(path)) as (source, meaning):
        return _described(source, meaning, scene, axes)[0]


def read(
    path: Path | str,
    *,
    scene: int = 0,
    pixel_size_um: float | None = None,
    pixel_size_source: CalibrationSource = CalibrationSource.OPTION,
    axes: str | None = None,
    memory_limit_bytes: int | None = None,
    sha256: str | None = None,
) -> Section:
    """Read one image of a file at full resolution.

    A file that is not calibrated is read: its `calibration.problem` says why no density can be given.

    Parameters
    ----------
    path : Path
        The file; its name does not matter, its first bytes choose the reader.
    scene : int
        Which image of the file.
    pixel_size_um : float, optional
        Edge of a pixel in micrometers; overrides what the file says.
    pixel_size_source : CalibrationSource
        Who gave it.
    axes : str, optional
        Meaning of the axes where the file does not say, for example ``ZCYX``, or ``Z5C2YX`` with sizes.
    memory_limit_bytes : int, optional
        Images that need more are not read; by default four fifths of the memory that is free.
    sha256 : str, optional
        Content hash, if it is known already.

    Returns
    -------
    Section
        With channel names but no roles.

    Raises
    ------
    UnreadableError
        If the file cannot be read; its code says why.
    RefusedError
        With `axes_unknown` if it is not known which axes are planes and which are channels.
    UsageError
        If there is no such scene.
    """
    path = Path(path)
    with _opened(path) as (source, meaning):
        described, chosen, layout = _described(source, meaning, scene, axes)
        if described.problem is not None:
            raise RefusedError("axes_unknown", described.problem)
        _check_memory(described, source.pages[chosen.planes[0].page], memory_limit_bytes)
        pixels = _pixels(source, chosen, layout, source.pages[chosen.planes[0].page].dtype)
    calibration = described.calibration
    if pixel_size_um is not None:
        calibration = given(pixel_size_um, pixel_size_source, calibration)
    return Section(
        pixels=pixels,
        calibration=calibration,
        channels=described.channels,
        rgb=described.rgb,
        identity=Identity(sha256 if sha256 is not None else file_sha256(path), scene),
        name=path.name,
        bit_depth=described.bit_depth,
        metadata=described.metadata,
    )


@contextmanager
def _opened(path: Path) -> Iterator[tuple[_Source, Meaning]]:
    """Open a file by its first bytes."""
    format_ = format_of(path)
    if format_ is Format.TIFF:
        from ienfd.io.tiff import TiffPages

        with TiffPages(path) as tiff:
            meaning = understand(tiff.pages)
            yield tiff, replace(meaning, format=f"{meaning.format}{', BigTIFF' if tiff.is_big else ''}")
    elif format_.is_read:
        from ienfd.io.picture import PictureFile

        with PictureFile(path, format_) as picture:
            page = picture.pages[0]
            scene = Scene(
                Layout(page.axes, page.sizes, page.color == "rgb"), (Plane(0),), picture.calibration
            )
            yield picture, Meaning(format_.value, (scene,))
    else:
        raise UnreadableError("unsupported_format", f"{path.name} is {format_.value}")


def _described(
    source: _Source, meaning: Meaning, number: int, axes: str | None
) -> tuple[Described, Scene, Layout]:
    if not 0 <= number < len(meaning.scenes):
        raise UsageError("option_invalid", f"scene {number} of a file with {len(meaning.scenes)}")
    scene = meaning.scenes[number]
    page = source.pages[scene.planes[0].page]
    for plane in scene.planes:
        source.check(plane)
    layout = scene.layout
    if axes is not None and layout.problem is not None:
        layout = with_axes(layout, axes)
    planes, height, width, samples = layout.shape
    described = Described(
        format=meaning.format,
        axes=layout.axes,
        shape=(height, width),
        planes=planes,
        channels=_channels(layout, scene.names, samples),
        rgb=layout.is_rgb,
        dtype=page.dtype.name,
        bit_depth=_bit_depth(scene, page),
        calibration=scene.calibration,
        problem=layout.problem,
        scene=number,
        scenes=len(meaning.scenes),
        levels=scene.levels,
        metadata=_metadata(meaning, page),
        identifying=_identifying(source, meaning),
    )
    return described, scene, layout


def _channels(layout: Layout, names: tuple[str | None, ...], samples: int) -> tuple[Channel, ...]:
    if layout.is_rgb:
        return (Channel(),)
    known = names if len(names) == samples else (None,) * samples
    return tuple(Channel(name) for name in known)


def _bit_depth(scene: Scene, page: Page) -> int | None:
    if page.bits is None:
        return None
    stated = scene.bit_depth
    return stated if stated is not None and 0 < stated <= page.bits else page.bits


def _metadata(meaning: Meaning, page: Page) -> dict[str, str]:
    found = {"compression": page.compression, **meaning.metadata}
    if page.software:
        found["software"] = page.software.splitlines()[0][:120]
    return found


def _identifying(source: _Source, meaning: Meaning) -> tuple[str, ...]:
    tags = (name for page in source.pages for name in page.identifying)
    return tuple(dict.fromkeys((*tags, *meaning.identifying)))


def _check_memory(described: Described, page: Page, limit: int | None) -> None:
    """Refuse what would not fit, before anything is allocated."""
    if limit is None:
        import psutil

        limit = int(psutil.virtual_memory().available * _MEMORY_SHARE)
    needed = described.nbytes + (0 if page.contiguous else page.segment_bytes)
    if needed > limit:
        raise UnreadableError("too_large", f"{needed / 2**20:.0f} MiB, the limit is {limit / 2**20:.0f} MiB")


def _pixels(source: _Source, scene: Scene, layout: Layout, dtype: Any) -> NDArray[Any]:
    try:
        pixels, stored = layout.allocate(dtype)
    except MemoryError as error:
        raise UnreadableError("too_large", "out of memory") from error
    rank = len(source.pages[scene.planes[0].page].sizes)
    by_plane = stored.shape[: stored.ndim - rank]
    for index, plane in enumerate(scene.planes):
        where = _place(index, by_plane)
        source.read(plane, stored[where])
    return pixels


def _place(index: int, sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Indices of the n-th plane along the leading axes."""
    import numpy as np

    return tuple(int(at) for at in np.unravel_index(index, sizes)) if sizes else ()
