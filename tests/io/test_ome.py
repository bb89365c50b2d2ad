"""OME-XML: which page is which plane, in every order, and whose planes they are."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from ienfd import io
from ienfd.errors import UnreadableError
from ienfd.io.ome import is_ome, parse_ome
from ienfd.section import CalibrationSource

HEAD = '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:mine">'


def xml(
    attributes: str = "", inside: str = "", order: str = "XYZCT", sizes: tuple[int, int, int] = (3, 2, 1)
) -> str:
    planes, channels, times = sizes
    return (
        f'{HEAD}<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="{order}" Type="uint8"'
        f' SizeX="5" SizeY="4" SizeZ="{planes}" SizeC="{channels}" SizeT="{times}" {attributes}>'
        f"{inside}</Pixels></Image></OME>"
    )


def pages(count: int) -> list[tuple[int, int]]:
    return [(1, 1)] * count


@pytest.mark.parametrize("order", ["".join(letters) for letters in permutations("ZCT")])
def test_pages_follow_the_dimension_order(order: str) -> None:
    (image,), _ = parse_ome(xml(order=f"XY{order}", sizes=(3, 2, 4)), pages(24))
    expected = {}
    size = {"Z": 3, "C": 2, "T": 4}
    index = 0
    for slow in range(size[order[2]]):
        for middle in range(size[order[1]]):
            for fast in range(size[order[0]]):
                at = {order[0]: fast, order[1]: middle, order[2]: slow}
                expected[at["T"], at["C"], at["Z"]] = index
                index += 1
    assert image.ifds == expected


def test_each_plane_may_name_its_page() -> None:
    data = "".join(
        f'<TiffData FirstZ="{z}" FirstC="{c}" IFD="{10 - 3 * c - z}"/>' for z in range(3) for c in range(2)
    )
    (image,), _ = parse_ome(xml(inside=data), pages(11))
    assert image.ifds == {(0, c, z): 10 - 3 * c - z for z in range(3) for c in range(2)}


def test_one_element_may_stand_for_several_pages() -> None:
    data = '<TiffData FirstC="1" IFD="0" PlaneCount="3"/><TiffData IFD="3" PlaneCount="3"/>'
    (image,), _ = parse_ome(xml(inside=data), pages(6))
    assert [image.ifds[0, c, z] for c in range(2) for z in range(3)] == [3, 4, 5, 0, 1, 2]


def test_an_element_without_a_page_stands_for_all() -> None:
    (image,), _ = parse_ome(xml(inside="<TiffData/>"), pages(6))
    assert sorted(image.ifds.values()) == [0, 1, 2, 3, 4, 5]


def test_a_color_page_is_one_group_of_three_samples() -> None:
    (image,), _ = parse_ome(xml(sizes=(1, 3, 1), inside='<TiffData IFD="0" FirstC="0"/>'), [(3, 3)])
    assert (image.groups, image.ifds) == (1, {(0, 0, 0): 0})


def test_names_bits_and_who_is_in_it() -> None:
    text = xml('SignificantBits="12"', '<Channel Name="PGP9.5"/><Channel/>').replace(
        "<Image ", '<Experimenter ID="E:0" LastName="Doe"/><Image '
    )
    (image,), identifying = parse_ome(text, pages(6))
    assert (image.names, image.bit_depth) == (("PGP9.5", None), 12)
    assert identifying == ("OME Experimenter",)


@pytest.mark.parametrize(
    ("attributes", "size_um", "problem"),
    [
        ('PhysicalSizeX="0.5" PhysicalSizeY="0.5"', 0.5, None),
        ('PhysicalSizeX="0.5" PhysicalSizeXUnit="\u00b5m" PhysicalSizeY="500" PhysicalSizeYUnit="nm"',
         0.5, None),
        ('PhysicalSizeX="5e-4" PhysicalSizeXUnit="mm" PhysicalSizeY="5e-4" PhysicalSizeYUnit="mm"',
         0.5, None),
        ("", None, "uncalibrated"),
        ('PhysicalSizeX="0.5"', None, "uncalibrated"),
        ('PhysicalSizeX="wide" PhysicalSizeY="0.5"', None, "uncalibrated"),
        ('PhysicalSizeX="1" PhysicalSizeXUnit="pixel" PhysicalSizeY="1" PhysicalSizeYUnit="pixel"', None,
         "calibration_unit"),
        ('PhysicalSizeX="1" PhysicalSizeXUnit="reference frame" PhysicalSizeY="1"', None, "calibration_unit"),
        ('PhysicalSizeX="0.5" PhysicalSizeY="0.7"', None, "calibration_anisotropic"),
        ('PhysicalSizeX="0.5" PhysicalSizeXUnit="mm" PhysicalSizeY="0.5" PhysicalSizeYUnit="mm"', None,
         "calibration_range"),
    ],
)  # fmt: skip
def test_physical_sizes(attributes: str, size_um: float | None, problem: str | None) -> None:
    (image,), _ = parse_ome(xml(attributes), pages(6))
    assert image.calibration.problem == problem
    assert image.calibration.pixel_size_um == (None if size_um is None else pytest.approx(size_um))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (xml(sizes=(0, 1, 1)), "SizeZ"),
        (xml(sizes=(-3, 1, 1)), "SizeZ"),
        (xml(order="XYZZT"), "DimensionOrder"),
        (xml(inside='<TiffData IFD="1e3"/>'), "IFD"),
        (xml(inside='<TiffData FirstZ="3" IFD="0"/>'), "begins at"),
        (xml().replace('SizeX="5"', ""), "SizeX"),
    ],
)
def test_what_cannot_be_is_corrupt(text: str, says: str) -> None:
    with pytest.raises(UnreadableError, match=says) as failed:
        parse_ome(text, pages(6))
    assert failed.value.code == "corrupt"


def test_a_promise_of_many_planes_takes_no_time() -> None:
    with pytest.raises(UnreadableError) as failed:
        parse_ome(xml(sizes=(10**6, 10**3, 10**3)), pages(6))
    assert failed.value.code == "header_beyond_file"


def write(path: Path, description: str, count: int) -> None:
    stack = np.arange(count * 20, dtype=np.uint8).reshape(count, 4, 5)
    with tifffile.TiffWriter(path) as writer:
        for number, page in enumerate(stack):
            writer.write(page, description=description if number == 0 else None, metadata=None)


def test_planes_in_other_files_are_named(tmp_path: Path) -> None:
    data = '<TiffData IFD="0"><UUID FileName="a.ome.tif">urn:uuid:mine</UUID></TiffData>'
    other = '<TiffData FirstC="1" IFD="0"><UUID FileName="b.ome.tif">urn:uuid:other</UUID></TiffData>'
    path = tmp_path / "renamed.ome.tif"
    write(path, xml(inside=data + other, sizes=(1, 2, 1)), 1)
    with pytest.raises(UnreadableError, match=r"b\.ome\.tif") as failed:
        io.describe(path)
    assert failed.value.code == "parts_elsewhere"
    # a file that was renamed is still itself
    write(path, xml(inside=data, sizes=(1, 1, 1)), 1)
    assert io.read(path).pixels.shape == (1, 4, 5, 1)


def test_missing_planes_are_missing(tmp_path: Path) -> None:
    path = tmp_path / "cut.ome.tif"
    write(path, xml(), 4)
    with pytest.raises(UnreadableError, match="plane 1 of channel 1 is missing") as failed:
        io.read(path)
    assert failed.value.code == "truncated"


def test_sizes_that_differ_from_the_page_are_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "other.ome.tif"
    write(path, xml(sizes=(1, 1, 1)).replace('SizeX="5"', 'SizeX="50"'), 1)
    with pytest.raises(UnreadableError, match="50 x 4 pixels, the page 5 x 4"):
        io.read(path)


def test_without_a_size_the_resolution_of_the_tiff_holds(tmp_path: Path) -> None:
    path = tmp_path / "resolution.ome.tif"
    options: dict[str, Any] = {
        "resolution": (20_000, 20_000),
        "resolutionunit": "CENTIMETER",
        "metadata": None,
    }
    tifffile.imwrite(path, np.zeros((4, 5), np.uint8), description=xml(sizes=(1, 1, 1)), **options)
    found = io.read(path).calibration
    assert (found.pixel_size_um, found.source) == (0.5, CalibrationSource.TIFF_RESOLUTION)


def test_what_is_ome_xml() -> None:
    assert is_ome(xml())
    assert is_ome('\ufeff<?xml version="1.0"?>\n<!-- a comment --><ome:OME xmlns:ome="x"/>')
    assert not is_ome("ImageJ=1.54f")
    assert not is_ome("<scn></scn>")
