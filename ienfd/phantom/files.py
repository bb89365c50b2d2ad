"""Phantoms as the files that laboratories have."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal
from uuid import NAMESPACE_OID, uuid5

import numpy as np
import tifffile
from numpy.typing import NDArray

from ienfd.phantom.make import Phantom, make
from ienfd.phantom.spec import PhantomSpec, StainKind, random_spec
from ienfd.phantom.truth import write_truth

__all__ = ["FileFormat", "write", "write_set"]

FileFormat = Literal["auto", "ome-tiff", "ome-tiff-pyramid", "svs", "tiff"]

_SYNTHETIC = "synthetic phantom, not a patient"


def write(phantom: Phantom, folder: Path, name: str, format: FileFormat = "auto") -> Path:
    """Write the image into `folder` and its truth into `folder`/truth.

    Parameters
    ----------
    phantom : Phantom
        What to write.
    folder : Path
        Made if it does not exist.
    name : str
        Stem of the file.
    format : {"auto", "ome-tiff", "ome-tiff-pyramid", "svs", "tiff"}
        `tiff` is a plain TIFF with resolution tags; `svs` and `tiff` hold one RGB plane (`tiff` also one
        grey channel). `auto` is OME-TIFF, and a pyramid for large bright-field images.

    Returns
    -------
    Path
        The image.

    Raises
    ------
    ValueError
        If the format cannot hold this phantom.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "truth").mkdir(exist_ok=True)
    if format == "auto":
        large = phantom.rgb and phantom.pixels.shape[0] == 1 and max(phantom.pixels.shape[1:3]) > 2500
        format = "ome-tiff-pyramid" if large else "ome-tiff"
    writer = {
        "ome-tiff": _write_ome, "ome-tiff-pyramid": _write_pyramid, "svs": _write_svs, "tiff": _write_plain,
    }[format]  # fmt: skip
    suffix = {"svs": ".svs", "tiff": ".tif"}.get(format, ".ome.tif")
    path = folder / f"{name}{suffix}"
    writer(phantom, path)
    write_truth(phantom.truth, folder / "truth" / f"{name}.truth.json")
    return path


def _ome_metadata(phantom: Phantom) -> dict[str, Any]:
    spec = phantom.spec
    metadata: dict[str, Any] = {
        "PhysicalSizeX": spec.pixel_size_um, "PhysicalSizeXUnit": "\u00b5m",
        "PhysicalSizeY": spec.pixel_size_um, "PhysicalSizeYUnit": "\u00b5m",
        "Description": _SYNTHETIC,
        # not a random one: the same phantom is the same file
        "UUID": f"urn:uuid:{uuid5(NAMESPACE_OID, repr((spec, phantom.truth.seed)))}",
    }  # fmt: skip
    if phantom.pixels.shape[0] > 1:
        metadata |= {"PhysicalSizeZ": spec.z_step_um, "PhysicalSizeZUnit": "\u00b5m"}
    if not phantom.rgb:
        metadata["Channel"] = {"Name": list(phantom.channels)}
        metadata["SignificantBits"] = spec.bits
    return metadata


def _write_ome(phantom: Phantom, path: Path) -> None:
    if phantom.rgb:
        data, axes, color = phantom.pixels, "ZYXS", "rgb"
    else:
        data, axes, color = np.moveaxis(phantom.pixels, -1, 0), "CZYX", "minisblack"
    tifffile.imwrite(
        path, data, photometric=color, compression="zlib", compressionargs={"level": 6}, predictor=True,
        tile=(512, 512), ome=True, metadata={"axes": axes, **_ome_metadata(phantom)},
    )  # fmt: skip


def _halved(image: NDArray[Any]) -> NDArray[Any]:
    even = image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2].astype(np.float32)
    mean = (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4
    return np.asarray((mean + 0.5).astype(image.dtype))


def _one_rgb_plane(phantom: Phantom) -> NDArray[Any]:
    if not phantom.rgb or phantom.pixels.shape[0] != 1:
        raise ValueError("this format holds a single plane of red, green, blue")
    return np.asarray(phantom.pixels[0])


def _write_pyramid(phantom: Phantom, path: Path) -> None:
    image = _one_rgb_plane(phantom)
    levels = [image]
    while max(levels[-1].shape) > 1024:
        levels.append(_halved(levels[-1]))
    options: dict[str, Any] = {
        "photometric": "rgb",
        "compression": "zlib",
        "predictor": True,
        "tile": (512, 512),
    }
    with tifffile.TiffWriter(path, ome=True) as tiff:
        tiff.write(
            image, subifds=len(levels) - 1, metadata={"axes": "YXS", **_ome_metadata(phantom)}, **options
        )
        for level in levels[1:]:
            tiff.write(level, subfiletype=1, **options)


def _write_svs(phantom: Phantom, path: Path) -> None:
    """Tiled JPEG with a description in the manner of Aperio."""
    image = _one_rgb_plane(phantom)
    height, width = image.shape[:2]
    pixel = phantom.spec.pixel_size_um
    power = 40 if pixel < 0.35 else 20
    text = (
        f"Aperio Image Library v11.2.1\r\n{width}x{height} [0,0 {width}x{height}] (240x240) JPEG/RGB Q=90"
        f"|AppMag = {power}|MPP = {pixel:.4f}|Title = {_SYNTHETIC}"
    )
    options: dict[str, Any] = {
        "photometric": "rgb", "compression": "jpeg", "compressionargs": {"level": 90}, "tile": (240, 240),
        "metadata": None,
    }  # fmt: skip
    with tifffile.TiffWriter(path) as tiff:
        tiff.write(image, description=text, **options)
        small = _halved(_halved(image))
        tiff.write(small, subfiletype=1, description=text, **options)


def _write_plain(phantom: Phantom, path: Path) -> None:
    if phantom.pixels.shape[0] != 1 or (not phantom.rgb and phantom.pixels.shape[-1] != 1):
        raise ValueError("a plain TIFF holds one plane of red, green, blue or one channel")
    image = phantom.pixels[0] if phantom.rgb else phantom.pixels[0, :, :, 0]
    per_cm = 10_000.0 / phantom.spec.pixel_size_um
    tifffile.imwrite(
        path, image, photometric="rgb" if phantom.rgb else "minisblack", resolution=(per_cm, per_cm),
        resolutionunit="CENTIMETER", description=_SYNTHETIC, metadata=None,
        compression="zlib", compressionargs={"level": 6}, predictor=True,
    )  # fmt: skip


# One patient, one laboratory, one microscope: what sections of a biopsy have in common.
_SHARED_IN_A_BIOPSY = (
    "density_per_mm", "caliber_um", "melanin_od", "thickness_um",
    "chromogen", "chromogen_seed", "counterstain", "basement_membrane_channel", "nuclei_channel",
    "pixel_size_um", "planes", "z_step_um", "numerical_aperture", "confocal", "bits", "white", "jpeg_quality",
)  # fmt: skip
_SECTION_UM = 50.0
_SECTION_MM = 1.1  # three of them are long enough for a call

_COLUMNS = ("file", "case_id", "biopsy_id", "age_years", "sex", "site", "section_um", "planes", "stain")
_README = """These images are SYNTHETIC. No patient, no tissue: every pixel was computed by `ienfd phantom`.

Each image is a skin section with nerve fibers whose true number, course and crossings of the
dermal-epidermal junction are known exactly; they lie in truth/, one JSON file for each image.
cases.csv groups three sections to a biopsy of an invented age and sex.
Coordinates are (row, col) in pixels, 0-based, the center of a pixel at the integer; z in micrometers.
`visibility` of a crossing says how far its fiber stands out in the image on the fainter side of the
junction: below about 5 a reader can hardly be blamed for not seeing it.
"""


def write_set(
    folder: Path, count: int, seed: int, stain: StainKind | None = None, length_mm: float | None = None
) -> list[Path]:
    """Write a set for training or proficiency testing: images, truth/, cases.csv, README.txt.

    Parameters
    ----------
    folder : Path
        Made if it does not exist.
    count : int
        Number of sections; three make a biopsy.
    seed : int
        Not negative; the same seed writes the same set.
    stain : {"bright-field", "fluorescence"}, optional
        Only this stain.
    length_mm : float, optional
        Epidermis of every section; when not given it is drawn so that three sections suffice for a call.

    Returns
    -------
    list of Path
        The images.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths, rows = [], []
    biopsy: PhantomSpec | None = None
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        if number % 3 == 0 or biopsy is None:
            biopsy = _drawn(rng, stain)
            age, sex = int(rng.integers(21, 81)), str(rng.choice(["F", "M"]))
            spec = biopsy
        else:
            spec = replace(
                _drawn(rng, biopsy.stain), **{name: getattr(biopsy, name) for name in _SHARED_IN_A_BIOPSY}
            )
        spec = replace(spec, length_mm=max(spec.length_mm, _SECTION_MM) if length_mm is None else length_mm)
        case = f"SYN{number // 3 + 1:03d}"
        name = f"synthetic_{number // 3 + 1:03d}_{'abc'[number % 3]}"
        path = write(make(spec, seed * 100_000 + number), folder, name)
        paths.append(path)
        rows.append(
            (path.name, case, f"{case}-1", age, sex, "distal_leg", f"{spec.thickness_um:g}", spec.planes,
             spec.stain)
        )  # fmt: skip
    with (folder / "cases.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerows(rows)
    (folder / "README.txt").write_text(_README, encoding="utf-8")
    return paths


def _drawn(rng: np.random.Generator, stain: StainKind | None) -> PhantomSpec:
    """A section as laboratories cut it for a count: no norm holds for thinner ones."""
    while True:
        spec = random_spec(rng, stain)
        if spec.thickness_um >= _SECTION_UM:
            return spec
