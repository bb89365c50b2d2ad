"""The pixels of a phantom show its truth; its files are what they claim to be."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import tifffile
from scipy.ndimage import gaussian_filter, map_coordinates

from ienfd.phantom import Phantom, PhantomSpec, make, read_truth, write, write_set
from ienfd.phantom.brightfield import chromogen_vector
from ienfd.phantom.optics import Cloud, Focus, render_cloud
from ienfd.phantom.spec import StainKind

SMALL = PhantomSpec(
    length_mm=0.25,
    dermis_um=100.0,
    pixel_size_um=0.4,
    density_per_mm=25.0,
    langerhans_per_mm2=0.0,
    rotation_deg=30.0,
    thickness_um=20.0,
)


def _nerve_signal(phantom: Phantom) -> np.ndarray:
    pixels = phantom.pixels.astype(float)
    if not phantom.rgb:
        return np.asarray(pixels[..., 0].max(axis=0))
    density = -np.log((pixels[0] + 1) / 256)
    return np.asarray(density @ chromogen_vector(phantom.spec))


@pytest.mark.parametrize(
    "spec",
    [
        replace(SMALL, stain="fluorescence"),
        replace(SMALL, stain="fluorescence", planes="stack", z_step_um=3.0, bits=12),
        replace(SMALL, chromogen="dab", counterstain="none"),
        replace(SMALL, chromogen="sg", counterstain="eosin", rotation_deg=140.0),
    ],
    ids=["projection", "stack", "dab", "sg"],
)
def test_fibers_are_seen_where_the_truth_has_them(spec: PhantomSpec) -> None:
    phantom = make(spec, 11)
    signal = _nerve_signal(phantom)
    excess = signal - gaussian_filter(signal, 8.0 / spec.pixel_size_um)
    noise = np.median(np.abs(excess))
    on = []
    for fiber in phantom.truth.fibers:
        for path in fiber.paths:
            on.append(map_coordinates(excess, path[:, :2].T, order=1).mean())
    shifted = [
        map_coordinates(excess, path[:, :2].T + 6.0 / spec.pixel_size_um, order=1, mode="nearest").mean()
        for fiber in phantom.truth.fibers
        for path in fiber.paths
    ]
    assert len(on) > 4
    assert np.median(on) > 3 * noise
    assert np.median(on) > 4 * abs(np.median(shifted))


def test_the_same_seed_gives_the_same_pixels() -> None:
    one, two, other = make(SMALL, 3), make(SMALL, 3), make(SMALL, 4)
    assert np.array_equal(one.pixels, two.pixels)
    assert one.truth.crossings == two.truth.crossings
    assert one.pixels.shape != other.pixels.shape or not np.array_equal(one.pixels, other.pixels)


def test_channels_and_depth_are_as_the_spec_says() -> None:
    spec = replace(
        SMALL, stain="fluorescence", basement_membrane_channel=True, nuclei_channel=True, planes="stack",
        z_step_um=5.0, bits=12, length_mm=0.15,
    )  # fmt: skip
    phantom = make(spec, 1)
    assert phantom.channels == ("PGP9.5", "Collagen IV", "DAPI")
    assert phantom.pixels.shape[0] == 5
    assert phantom.pixels.shape[3] == 3
    assert phantom.pixels.dtype == np.uint16
    assert 1000 < phantom.pixels.max() <= 4095
    # the membrane channel is brightest along the true junction
    membrane = phantom.pixels[..., 1].max(axis=0).astype(float)
    along = map_coordinates(membrane, phantom.truth.junctions[0][5:-5].T, order=1)
    assert np.median(along) > 3 * np.median(membrane)


def test_glass_has_the_color_of_the_spec() -> None:
    phantom = make(replace(SMALL, white=(228.0, 240.0, 233.0), shading=0.1, glass_um=60.0), 2)
    glass = phantom.pixels[0].reshape(-1, 3)[phantom.pixels[0].sum(axis=-1).ravel() > 640]
    assert np.median(glass, axis=0) == pytest.approx([228, 240, 233], abs=12)


def test_light_is_neither_lost_nor_made_by_defocus() -> None:
    cloud = Cloud(np.array([[60.0, 50.0, 10.0]]), np.array([3.0]))
    widths = []
    for z in (10.0, 14.0, 22.0):
        image = render_cloud(cloud, (301, 280), 0.4, Focus(z, 0.3, 0.35, 0.0))
        assert image.sum() * 0.16 == pytest.approx(3.0, rel=0.02)
        rows = np.arange(301) * 0.4
        mean = (image.sum(axis=1) * rows).sum() / image.sum()
        assert mean == pytest.approx(60.0, abs=0.1)
        widths.append(float(np.sqrt((image.sum(axis=1) * (rows - mean) ** 2).sum() / image.sum())))
    assert widths == pytest.approx([0.3, np.hypot(0.3, 1.4), np.hypot(0.3, 4.2)], rel=0.2)


def _ome(path: Path) -> ElementTree.Element:
    with tifffile.TiffFile(path) as tiff:
        root = ElementTree.fromstring(tiff.ome_metadata or "")
    found = root.find("{*}Image/{*}Pixels")
    assert found is not None
    return found


def test_an_ome_tiff_says_what_it_holds(tmp_path: Path) -> None:
    spec = replace(
        SMALL,
        stain="fluorescence",
        planes="stack",
        z_step_um=10.0,
        nuclei_channel=True,
        bits=12,
        length_mm=0.15,
    )
    phantom = make(spec, 1)
    path = write(phantom, tmp_path, "synthetic")
    assert path.name == "synthetic.ome.tif"
    pixels = _ome(path)
    assert float(pixels.attrib["PhysicalSizeX"]) == 0.4
    assert float(pixels.attrib["PhysicalSizeZ"]) == 10.0
    assert pixels.attrib["SignificantBits"] == "12"
    assert [c.attrib["Name"] for c in pixels.findall("{*}Channel")] == ["PGP9.5", "DAPI"]
    assert np.array_equal(np.moveaxis(tifffile.imread(path), 0, -1), phantom.pixels)


def test_the_truth_lies_apart_and_comes_back(tmp_path: Path) -> None:
    phantom = make(SMALL, 1)
    write(phantom, tmp_path, "one", "tiff")
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["one.tif"]
    back = read_truth(tmp_path / "truth" / "one.truth.json")
    assert back.spec == SMALL
    assert len(back.crossings) == len(phantom.truth.crossings)
    assert back.junctions[0] == pytest.approx(phantom.truth.junctions[0], abs=0.006)


@pytest.mark.parametrize("form", ["tiff", "svs", "ome-tiff-pyramid"])
def test_single_plane_formats(tmp_path: Path, form: str) -> None:
    phantom = make(replace(SMALL, length_mm=0.15), 1)
    path = write(phantom, tmp_path, "one", form)  # type: ignore[arg-type]
    with tifffile.TiffFile(path) as tiff:
        page = tiff.pages.first
        assert page.shape == phantom.pixels.shape[1:]
        if form == "tiff":
            number, unit = page.tags["XResolution"].value
            assert number / unit == pytest.approx(10_000 / 0.4, rel=1e-4)
            assert page.tags["ResolutionUnit"].value == 3
        elif form == "svs":
            assert "Aperio" in page.description
            assert "MPP = 0.4000" in page.description
            assert tiff.is_svs
        else:
            assert len(tiff.series[0].levels) >= 1
            assert float(_ome(path).attrib["PhysicalSizeX"]) == 0.4


def test_a_plain_tiff_refuses_a_stack(tmp_path: Path) -> None:
    phantom = make(replace(SMALL, stain="fluorescence", planes="stack", z_step_um=25.0, length_mm=0.15), 1)
    with pytest.raises(ValueError, match="one plane"):
        write(phantom, tmp_path, "one", "tiff")


def _scan(path: Path) -> tuple[object, ...]:
    """What one microscope gives to all its images."""
    with tifffile.TiffFile(path) as tiff:
        ome = ElementTree.fromstring(tiff.ome_metadata or "")
        axes, dtype = tiff.series[0].axes, tiff.series[0].dtype
    pixels = next(one for one in ome.iter() if one.tag.endswith("Pixels"))
    sizes = {name: value for name, value in pixels.attrib.items() if name.startswith("PhysicalSize")}
    assert {"PhysicalSizeX", "PhysicalSizeY"} <= set(sizes)
    return axes, dtype, sizes, [one.get("Name") for one in ome.iter() if one.tag.endswith("Channel")]


def test_a_set_is_a_case_table_with_images_and_truth(tmp_path: Path) -> None:
    first = write_set(tmp_path / "a", 4, 8, length_mm=0.15)
    second = write_set(tmp_path / "b", 1, 8, length_mm=0.15)
    digest = [
        [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths] for paths in (first[:1], second)
    ]
    assert digest[0] == digest[1]
    with (tmp_path / "a" / "cases.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["file"] for row in rows] == [path.name for path in first]
    assert all(
        (tmp_path / "a" / "truth").joinpath(f"{p.name.split('.')[0]}.truth.json").exists() for p in first
    )
    assert [row["biopsy_id"] for row in rows] == ["SYN001-1"] * 3 + ["SYN002-1"]
    shared = ("case_id", "age_years", "sex", "stain", "section_um", "planes")
    assert len({tuple(row[name] for name in shared) for row in rows[:3]}) == 1
    assert {row["section_um"] for row in rows} == {"50"}
    scans = [_scan(path) for path in first[:3]]
    assert scans == scans[:1] * 3
    assert "SYNTHETIC" in (tmp_path / "a" / "README.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("stain", ["fluorescence", "bright-field"])
def test_a_fiber_is_the_less_visible_the_fainter_it_is(stain: StainKind) -> None:
    clear = replace(SMALL, stain=stain, fiber_photons=200.0, fiber_od=1.2, counterstain="none", beading=0.2)
    faint = replace(clear, fiber_photons=4.0, fiber_od=0.02)
    seen, lost = (np.array([c.visibility for c in make(spec, 11).truth.crossings]) for spec in (clear, faint))
    assert len(seen) == len(lost) > 2
    assert np.median(seen) > 15
    assert np.median(lost) < 4
    assert (lost < seen).all()


def test_a_fiber_far_from_the_plane_in_focus_is_not_seen() -> None:
    spec = replace(SMALL, stain="fluorescence", planes="single", thickness_um=60.0, density_per_mm=60.0)
    crossings = make(spec, 5).truth.crossings
    away = np.array([abs(c.z_um - 30.0) for c in crossings])
    visibility = np.array([c.visibility for c in crossings])
    assert np.median(visibility[away < 8]) > 2 * np.median(visibility[away > 20])
