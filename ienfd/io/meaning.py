"""What the pages of a TIFF mean: which images there are, and which page is which plane of them.

OME-XML, ImageJ, Aperio or a stated shape tell; what nobody tells stays unknown (`?`) and is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod

from ienfd.errors import UnreadableError
from ienfd.io.axes import Layout
from ienfd.io.calibration import of_resolution
from ienfd.io.descriptions import (
    aperio_calibration,
    channel_names,
    imagej_calibration,
    is_aperio,
    is_imagej,
    parse_aperio,
    parse_imagej,
    parse_shaped,
)
from ienfd.io.ome import OmeImage, is_ome, parse_ome
from ienfd.io.page import Page, Plane
from ienfd.section import Calibration

__all__ = ["Meaning", "Scene", "understand"]

_ASPECT = 0.02
_APERIO_TECHNICAL = ("AppMag", "MPP")
_APERIO_PERSONAL = (
    "ScanScope ID", "Filename", "Date", "Time", "User", "Title", "ImageID", "Barcode", "Patient", "Label",
)  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """One image of a file.

    Parameters
    ----------
    layout : Layout
        Its axes as they are stored.
    planes : tuple of Plane
        Where the planes lie, in the order of the leading axes.
    calibration : Calibration
    names : tuple of (str or None)
        Names of the channels, as many as are known.
    bit_depth : int or None
        Significant bits, where the metadata say them.
    levels : int
        Levels of the pyramid.
    """

    layout: Layout
    planes: tuple[Plane, ...]
    calibration: Calibration
    names: tuple[str | None, ...] = ()
    bit_depth: int | None = None
    levels: int = 1


@dataclass(frozen=True)
class Meaning:
    """All images of a file, and what was seen beside them."""

    format: str
    scenes: tuple[Scene, ...]
    metadata: dict[str, str] = field(default_factory=dict)
    identifying: tuple[str, ...] = ()


def understand(pages: Sequence[Page]) -> Meaning:
    """Meaning of the pages of a TIFF.

    Raises
    ------
    UnreadableError
        If the metadata contradict the pages, or planes lie in other files.
    """
    description = pages[0].description
    if is_ome(description):
        return _ome(pages)
    if is_imagej(description):
        return _imagej(pages)
    if is_aperio(description):
        return _aperio(pages)
    return _plain(pages)


def _ome(pages: Sequence[Page]) -> Meaning:
    images, identifying = parse_ome(
        pages[0].description, [(page.samples, page.stored_samples) for page in pages]
    )
    return Meaning("OME-TIFF", tuple(_ome_scene(image, pages) for image in images), {}, identifying)


def _ome_scene(image: OmeImage, pages: Sequence[Page]) -> Scene:
    if image.elsewhere:
        raise UnreadableError("parts_elsewhere", ", ".join(image.elsewhere[:3]))
    first_ifd = image.ifds.get((0, 0, 0))
    if first_ifd is None or first_ifd >= len(pages):
        raise UnreadableError("truncated", f"the OME-XML names page {first_ifd}, the file has {len(pages)}")
    first = pages[first_ifd]
    if (first.width, first.height) != (image.width, image.height):
        raise UnreadableError(
            "corrupt",
            f"OME-XML: {image.width} x {image.height} pixels, the page {first.width} x {first.height}",
        )
    planes = []
    for time in range(image.times):
        for channel in range(image.groups):
            for depth in range(image.planes):
                ifd = image.ifds.get((time, channel, depth))
                if ifd is None or ifd >= len(pages):
                    raise UnreadableError(
                        "truncated", f"plane {depth} of channel {channel} is missing in {len(pages)} pages"
                    )
                _same(pages[ifd], first)
                planes.append(Plane(ifd))
    layout = _layout("TCZ", (image.times, image.groups, image.planes), first)
    calibration = image.calibration
    if calibration.problem == "uncalibrated" and not calibration.stated:
        calibration = _by_tags(first, calibration)
    return Scene(layout, tuple(planes), calibration, image.names, image.bit_depth, first.levels)


def _by_tags(page: Page, otherwise: Calibration) -> Calibration:
    """The resolution tags, where the metadata say nothing."""
    return of_resolution(page.resolution) if page.resolution is not None else otherwise


def _imagej(pages: Sequence[Page]) -> Meaning:
    values = parse_imagej(pages[0].description)
    first = pages[0]
    stack = _full_pages(pages)
    count = _count(values, "images", 1)
    sizes = tuple(_count(values, name, 1) for name in ("frames", "slices", "channels"))
    planes = [Plane(index) for index in stack]
    if count > len(planes) == 1 and first.contiguous and first.nbytes > 0:
        planes = [Plane(stack[0], repeat) for repeat in range(count)]
    if prod(sizes) > max(len(planes), 1):
        raise UnreadableError("truncated", f"ImageJ names {prod(sizes)} images, the file has {len(planes)}")
    for index in stack:
        _same(pages[index], first)
    names: tuple[str | None, ...] = ()
    if prod(sizes) == len(planes):
        layout = _layout("TZC", sizes, first)
        names = channel_names(first.labels[: sizes[-1]])
    else:  # a stack of which ImageJ does not say what it is
        layout = _layout("?", (len(planes),), first)
    calibration = imagej_calibration(values, first.resolution)
    metadata = {"ImageJ": values["ImageJ"]} if "ImageJ" in values else {}
    return Meaning("ImageJ TIFF", (Scene(layout, tuple(planes), calibration, names),), metadata)


def _count(values: dict[str, str], name: str, default: int) -> int:
    text = values.get(name, "")
    return int(text) if text.isdecimal() and 0 < len(text) < 8 and int(text) > 0 else default


def _aperio(pages: Sequence[Page]) -> Meaning:
    first = pages[0]
    values = parse_aperio(first.description)
    levels, beside = 1, []
    for page in pages[1:]:
        if page.tiled and _is_reduction(page, first):
            levels += 1
        else:
            beside.append(_associated(page))
    calibration = aperio_calibration(values)
    if calibration.problem == "uncalibrated" and not calibration.stated:
        calibration = _by_tags(first, calibration)
    metadata = {name: values[name] for name in _APERIO_TECHNICAL if name in values}
    personal = [f"Aperio {name}" for name in _APERIO_PERSONAL if name in values]
    pictures = [f"{name} image" for name in beside if name != "thumbnail"]
    scene = Scene(_layout("", (), first), (Plane(0),), calibration, levels=levels)
    return Meaning("Aperio SVS", (scene,), metadata, (*personal, *pictures))


def _associated(page: Page) -> str:
    """Name of a picture beside the section: the label often shows the patient's name."""
    lines = page.description.splitlines()
    words = lines[1].split() if len(lines) > 1 else []
    return words[0] if words and words[0] in ("label", "macro") else "thumbnail"


def _plain(pages: Sequence[Page]) -> Meaning:
    groups = _groups(pages)
    base = pages[groups[0][0]]
    levels = 1 + sum(page.reduced and _is_reduction(page, base) for page in pages)
    kept = [groups[0]]
    for group in groups[1:]:
        if len(group) == 1 and len(kept) == 1 and _is_level(pages[group[0]], base):
            levels += 1
        else:
            kept.append(group)
    scenes = []
    for number, group in enumerate(kept):
        first = pages[group[0]]
        calibration = of_resolution(first.resolution)
        planes = tuple(Plane(index) for index in group)
        layout, planes = _shaped(first, planes)
        scenes.append(
            Scene(layout, planes, calibration, levels=max(first.levels, levels if number == 0 else 1))
        )
    identifying = ("ImageDescription",) if pages[0].description and not _is_shaped(pages[0]) else ()
    return Meaning("TIFF", tuple(scenes), {}, identifying)


def _is_shaped(page: Page) -> bool:
    return parse_shaped(page.description) is not None


def _shaped(first: Page, planes: tuple[Plane, ...]) -> tuple[Layout, tuple[Plane, ...]]:
    """Layout of pages in a row; a shape in the description may divide them, and name the axes."""
    shaped = parse_shaped(first.description)
    rank = len(first.sizes)
    if shaped is None or prod(shaped.shape[-rank:]) == 0 or shaped.shape[-rank:] != first.sizes:
        return _layout("?", (len(planes),), first), planes
    leading = shaped.shape[:-rank]
    count = prod(leading)
    if len(planes) == 1 < count and first.contiguous:
        planes = tuple(Plane(planes[0].page, repeat) for repeat in range(count))
    if count != len(planes):
        return _layout("?", (len(planes),), first), planes
    axes = shaped.axes
    if axes is not None and set(axes) <= set("TZCSYX") and {"Y", "X"} <= set(axes):
        if first.color == "rgb" and axes[-rank:].replace("C", "S") == first.axes:
            return Layout(axes[:-rank] + first.axes, shaped.shape, rgb=True), planes
        return Layout(axes, shaped.shape), planes
    sizes = tuple(size for size in leading if size > 1)
    return _layout("?" * len(sizes), sizes, first), planes


def _layout(leading: str, sizes: tuple[int, ...], page: Page) -> Layout:
    """Layout of pages; leading axes of size 1 are left out."""
    kept = [(letter, size) for letter, size in zip(leading, sizes, strict=True) if size > 1]
    return Layout(
        "".join(letter for letter, _ in kept) + page.axes,
        (*(size for _, size in kept), *page.sizes),
        rgb=page.color == "rgb",
    )


def _full_pages(pages: Sequence[Page]) -> list[int]:
    """Indices of the pages that are not smaller versions of others."""
    return [index for index, page in enumerate(pages) if not page.reduced] or [0]


def _groups(pages: Sequence[Page]) -> list[list[int]]:
    """Pages that follow each other and are alike."""
    groups: list[list[int]] = []
    for index in _full_pages(pages):
        if groups and _alike(pages[groups[-1][0]], pages[index]):
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


def _alike(one: Page, other: Page) -> bool:
    return (one.sizes, one.axes, one.dtype, one.color) == (other.sizes, other.axes, other.dtype, other.color)


def _same(page: Page, first: Page) -> None:
    if not _alike(page, first):
        raise UnreadableError("corrupt", "pages of one image differ in size or type")


def _is_reduction(page: Page, base: Page) -> bool:
    """Whether a page shows the same field at fewer pixels."""
    if page.width >= base.width or page.height >= base.height or page.width <= 0 or page.height <= 0:
        return False
    across, down = base.width / page.width, base.height / page.height
    return abs(across - down) <= _ASPECT * across


def _is_level(page: Page, base: Page) -> bool:
    """Whether a page that says nothing is a level: the same field, and the factor is about a whole one."""
    factor = base.width / page.width if page.width > 0 else 0
    whole = round(factor)
    return (
        _is_reduction(page, base)
        and (page.dtype, page.color) == (base.dtype, base.color)
        and whole >= 2
        and abs(factor - whole) <= _ASPECT * whole
    )
