"""OME-XML: the images, axes, channels and pixel sizes that it describes.

The XML comes from a file of unknown origin: it is parsed without entities and without a document type.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ienfd.errors import UnreadableError
from ienfd.io.calibration import length_um, of_sizes, uncalibrated, unitless
from ienfd.section import Calibration, CalibrationSource

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["OmeImage", "is_ome", "parse_ome"]

_MAX_XML = 16 * 2**20  # a thousand planes take about one
_MAX_PLANES = 1_000_000
_PERSONAL = ("Experimenter", "AcquisitionDate", "Description", "StructuredAnnotations")


@dataclass(frozen=True)
class OmeImage:
    """One image of an OME-TIFF.

    Parameters
    ----------
    width, height, planes, groups, times : int
        Sizes; a group is what one page holds of the channels: one of them, or red, green, blue.
    names : tuple of (str or None)
        Names of the Channel elements.
    bit_depth : int or None
        Significant bits, where they are said.
    calibration : Calibration
        From PhysicalSizeX, Y, Z.
    ifds : dict of (t, c, z) to int
        Page of each plane; c counts pages of samples, not samples.
    elsewhere : tuple of str
        Names of other files that hold planes of this image.
    """

    width: int
    height: int
    planes: int
    groups: int
    times: int
    names: tuple[str | None, ...]
    bit_depth: int | None
    calibration: Calibration
    ifds: dict[tuple[int, int, int], int]
    elsewhere: tuple[str, ...] = ()


def is_ome(description: str) -> bool:
    """Whether an ImageDescription is OME-XML (whole or broken)."""
    text = description.lstrip("\ufeff \t\r\n")
    return text.startswith("<") and ("<OME" in text[:8192] or "<ome:OME" in text[:8192])


def parse_ome(text: str, samples: Sequence[tuple[int, int]]) -> tuple[tuple[OmeImage, ...], tuple[str, ...]]:
    """Images that an OME-XML describes.

    Parameters
    ----------
    text : str
        The ImageDescription of the first page.
    samples : sequence of (int, int)
        Samples per pixel of every page of the file, without alpha and with it: writers count either.

    Returns
    -------
    images : tuple of OmeImage
    identifying : tuple of str
        Elements that may identify a person.

    Raises
    ------
    UnreadableError
        `corrupt` when it cannot be understood, `parts_elsewhere` when it points to another file for
        all metadata.
    """
    root = _parse(text)
    binary_only = root.find("{*}BinaryOnly")
    if binary_only is not None:
        raise UnreadableError("parts_elsewhere", f"metadata in {binary_only.get('MetadataFile', '?')}")
    images = []
    follows = 0
    for image in root.iterfind("{*}Image"):
        pixels = image.find("{*}Pixels")
        if pixels is not None:
            read = _image(pixels, root.get("UUID"), samples, follows)
            images.append(read)
            follows = max(read.ifds.values(), default=follows - 1) + 1
    if not images:
        raise UnreadableError("corrupt", "the OME-XML describes no image")
    present = tuple(
        f"OME {name}" for name in _PERSONAL if next(root.iterfind(f".//{{*}}{name}"), None) is not None
    )
    return tuple(images), present


def _parse(text: str) -> Element:
    from xml.etree.ElementTree import ParseError

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    if len(text) > _MAX_XML:
        raise UnreadableError("too_large", f"{len(text)} characters of OME-XML")
    try:
        # the declaration of an encoding is wrong for text that has been decoded
        root: Element = fromstring(text.encode("utf-8"), forbid_dtd=True)
    except ParseError as error:
        raise UnreadableError("corrupt", f"the OME-XML cannot be parsed: {error}") from error
    except (DefusedXmlException, ValueError, LookupError) as error:
        raise UnreadableError("corrupt", "the OME-XML holds what may not be in it") from error
    return root


def _image(
    pixels: Element, uuid: str | None, samples_of: Sequence[tuple[int, int]], follows: int
) -> OmeImage:
    first = pixels.find("{*}TiffData")
    ifd = follows if first is None else _number(first, "IFD", 0) or 0
    size = {letter: _positive(pixels, f"Size{letter}") for letter in "XYZCT"}
    page = samples_of[ifd] if ifd < len(samples_of) else (1, 1)
    samples = next((count for count in reversed(page) if size["C"] % count == 0), 0)
    if not samples:
        raise UnreadableError("corrupt", f"OME-XML: {size['C']} channels, {page[0]} samples per pixel")
    groups = size["C"] // samples
    count = size["Z"] * groups * size["T"]
    if count > _MAX_PLANES:
        raise UnreadableError("header_beyond_file", f"OME-XML: {count} planes, {len(samples_of)} pages")
    order = pixels.get("DimensionOrder", "XYCZT")[2:].upper()
    if sorted(order) != ["C", "T", "Z"]:
        raise UnreadableError("corrupt", f"OME-XML: DimensionOrder {pixels.get('DimensionOrder')!r}")
    extent = {"Z": size["Z"], "C": groups, "T": size["T"]}
    ifds, elsewhere = _ifds(pixels, order, extent, samples, uuid, follows)
    return OmeImage(
        width=size["X"],
        height=size["Y"],
        planes=size["Z"],
        groups=groups,
        times=size["T"],
        names=tuple(channel.get("Name") or None for channel in pixels.iterfind("{*}Channel")),
        bit_depth=_number(pixels, "SignificantBits", None),
        calibration=_calibration(pixels),
        ifds=ifds,
        elsewhere=elsewhere,
    )


def _ifds(
    pixels: Element, order: str, extent: dict[str, int], samples: int, uuid: str | None, follows: int
) -> tuple[dict[tuple[int, int, int], int], tuple[str, ...]]:
    """Page of every plane, by the TiffData elements; without any, the pages simply follow."""
    total = extent["Z"] * extent["C"] * extent["T"]
    elements = list(pixels.iterfind("{*}TiffData"))
    found: dict[tuple[int, int, int], int] = {}
    if not elements:
        for index in range(total):
            found[_place(order, extent, index)] = follows + index
        return found, ()
    elsewhere: list[str] = []
    for element in elements:
        ifd = _number(element, "IFD", None)
        begin = {letter: _number(element, f"First{letter}", 0) or 0 for letter in "ZCT"}
        begin["C"] //= samples
        if any(begin[letter] >= extent[letter] for letter in "ZCT"):
            raise UnreadableError("corrupt", f"OME-XML: a TiffData begins at {begin}")
        start = _linear(order, extent, begin)
        count = _number(element, "PlaneCount", None)
        count = count if count is not None else total - start if ifd is None else 1
        other = _other_file(element, uuid)
        if other is not None:
            elsewhere.append(other)
            continue
        for index in range(min(count, total - start)):
            found[_place(order, extent, start + index)] = (ifd or 0) + index
    return found, tuple(dict.fromkeys(elsewhere))


def _other_file(element: Element, uuid: str | None) -> str | None:
    """Name of the file that holds these planes, None when it is this one.

    The identifier decides and not the name, because files are renamed.
    """
    reference = element.find("{*}UUID")
    if reference is None or uuid is None or (reference.text or "").strip() == uuid.strip():
        return None
    return reference.get("FileName") or "another file"


def _strides(order: str, extent: dict[str, int]) -> Iterator[tuple[str, int]]:
    stride = 1
    for letter in order:
        yield letter, stride
        stride *= extent[letter]


def _place(order: str, extent: dict[str, int], index: int) -> tuple[int, int, int]:
    at = {letter: index // stride % extent[letter] for letter, stride in _strides(order, extent)}
    return at["T"], at["C"], at["Z"]


def _linear(order: str, extent: dict[str, int], at: dict[str, int]) -> int:
    return sum(at[letter] * stride for letter, stride in _strides(order, extent))


def _calibration(pixels: Element) -> Calibration:
    source = CalibrationSource.OME
    said = {letter: pixels.get(f"PhysicalSize{letter}") for letter in "XYZ"}
    unit = {letter: pixels.get(f"PhysicalSize{letter}Unit", "\u00b5m") for letter in "XYZ"}
    if said["X"] is None and said["Y"] is None:
        return uncalibrated()
    stated = " x ".join(f"{said[letter] or '?'} {unit[letter]}" for letter in "XY")
    size: dict[str, float | None] = {}
    for letter in "XYZ":
        try:
            value = None if said[letter] is None else float(said[letter] or "")
        except ValueError:
            value = None
        size[letter] = None if value is None else length_um(value, unit[letter])
        if value is not None and size[letter] is None and letter != "Z":
            return unitless(stated, source)
    return of_sizes(size["X"], size["Y"], source=source, stated=stated, z_step_um=size["Z"])


def _number(element: Element, name: str, default: int | None) -> int | None:
    text = element.get(name)
    if text is None:
        return default
    if not text.strip().isdecimal() or len(text) > 12:
        raise UnreadableError("corrupt", f"OME-XML: {name}={text[:40]!r}")
    return int(text)


def _positive(element: Element, name: str) -> int:
    value = _number(element, name, None)
    if not value:
        raise UnreadableError("corrupt", f"OME-XML: {name} is {element.get(name)!r}")
    return value
