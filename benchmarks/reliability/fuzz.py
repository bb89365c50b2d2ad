"""Damaged files: whatever stands in a header or a case table, there is an image, or a reason why not."""

from __future__ import annotations

import io
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image

from ienfd import io as readers
from ienfd.batch.case_table import read_case_table
from ienfd.batch.jobs import Job
from ienfd.batch.pool import LocalPool
from ienfd.errors import RefusedError, UnreadableError, UsageError
from ienfd.reasons import REASONS

__all__ = ["Fuzzed", "fuzz"]

_HANG_S = 10.0
_MEMORY_BYTES = 1 << 30
_PORTION = 50  # files that one job looks at
_HEADER = 600  # bytes at either end of a file: where its directories and descriptions are
_CASES = (
    "file;case_id;biopsy_id;age_years;sex;site;side;collection_date;stain;section_um;planes;pixel_size_um\n"
    "a.tif;P1;B1;56,5;F;distal leg;left;2024-03-01;bright-field;50;projection;0,32\n"
    '"b c.tif";P2;;71;m;thigh;right;2024-02-01;;50;stack;\n'
    "d/*.tif;P3;B3;;;;;;;;;\n"
)


@dataclass(frozen=True)
class Fuzzed:
    """What became of damaged files.

    Parameters
    ----------
    files : int
        How many there were.
    read, refused, failed : int
        How they ended: with an image or table, refused, or with a reason why they cannot be read.
    crashed : tuple of str
        Those that ended otherwise: an error that says nothing to a person, a killed process, a hang.
    silent : tuple of str
        Those that gave a number without saying where it is from.
    slowest_s : float
        The longest that one of them took.
    memory_bytes : int
        The most that a process took.
    """

    files: int
    read: int
    refused: int
    failed: int
    crashed: tuple[str, ...]
    silent: tuple[str, ...]
    slowest_s: float
    memory_bytes: int


def fuzz(count: int, first_seed: int = 0, workers: int = 2) -> Fuzzed:
    """Damage `count` files, each in the way that its seed decides, and read them."""
    starts = range(first_seed, first_seed + count, _PORTION)
    jobs = (Job(str(s), _portion, (s, min(_PORTION, first_seed + count - s))) for s in starts)
    ends: Counter[str] = Counter()
    crashed: list[str] = []
    silent: list[str] = []
    slowest, memory = 0.0, 0
    with LocalPool(workers, time_limit_s=_HANG_S * _PORTION, attempts=1) as pool:
        for ending in pool.run(jobs):
            if ending.failure is not None:
                crashed.append(f"seeds from {ending.key}: {ending.failure.code} {ending.failure.detail}")
                continue
            for seed, end, seconds in ending.value[0]:
                ends[end.partition(":")[0]] += 1
                slowest = max(slowest, seconds)
                if end.startswith("crashed") or seconds > _HANG_S:
                    crashed.append(f"seed {seed}: {end} ({seconds:.1f} s)")
                if end.startswith("silent"):
                    silent.append(f"seed {seed}: {end}")
            memory = max(memory, ending.value[1])
    crashed += [f"a process took {memory >> 20} MiB"] if memory > _MEMORY_BYTES else []
    return Fuzzed(
        count, ends["read"], ends["refused"], ends["failed"], tuple(crashed), tuple(silent),
        round(slowest, 2), memory,
    )  # fmt: skip


def _portion(asked: tuple[int, int]) -> tuple[list[tuple[int, str, float]], int]:
    """In a worker: the seed, end and seconds of each file, and the memory of the process."""
    first, count = asked
    found = []
    with tempfile.TemporaryDirectory() as room:
        originals = list(_originals())
        for seed in range(first, first + count):
            chance = random.Random(seed)
            suffix, content = chance.choice(originals)
            file = Path(room, f"{seed}{suffix}")
            file.write_bytes(_damaged(content, chance))
            begin = time.perf_counter()
            end = _table(file) if suffix == ".csv" else _image(file)
            found.append((seed, end, time.perf_counter() - begin))
            file.unlink()
    return found, _peak_bytes()


def _image(file: Path) -> str:
    try:
        described = readers.describe(file)
        section = readers.read(file, memory_limit_bytes=_MEMORY_BYTES // 4)
    except UnreadableError as error:
        return f"failed: {error.code}" if error.code in REASONS else f"crashed: unknown code {error.code}"
    except RefusedError as error:
        return f"refused: {error.code}" if error.code in REASONS else f"crashed: unknown code {error.code}"
    except Exception as error:
        return f"crashed: {type(error).__name__}: {error}"
    calibration = section.calibration
    if calibration.pixel_size_um is None:
        return "refused: uncalibrated" if calibration.problem else "silent: no pixel size, and no reason"
    if not (np.isfinite(calibration.pixel_size_um) and calibration.source):
        return f"silent: {calibration.pixel_size_um} um from {calibration.source}"
    return "read" if described.shape == section.shape else "silent: another size than was described"


def _table(file: Path) -> str:
    try:
        table = read_case_table(file)
    except UsageError:
        return "failed: case_table_invalid"
    except Exception as error:
        return f"crashed: {type(error).__name__}: {error}"
    ages = [entry.values.age_years for entry in table.entries if entry.values.age_years is not None]
    return "read" if all(0 <= age <= 130 for age in ages) else f"silent: ages {ages}"


def _originals() -> Iterator[tuple[str, bytes]]:
    """One small file of each kind that laboratories have, and a case table."""
    rng = np.random.default_rng(0)
    stack = rng.integers(0, 4000, (3, 2, 40, 48), dtype=np.uint16)
    color = rng.integers(0, 256, (40, 48, 3), dtype=np.uint8)
    sizes = {"axes": "ZCYX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5, "PhysicalSizeZ": 2.0}
    channels = {"Channel": {"Name": ["PGP9.5", "DAPI"]}}
    for options in (
        {"ome": True, "photometric": "minisblack", "metadata": {**sizes, **channels}},
        {"ome": True, "bigtiff": True, "photometric": "minisblack", "metadata": sizes, "tile": (16, 16)},
        {"imagej": True, "resolution": (2.0, 2.0), "metadata": {"axes": "ZCYX", "unit": "um"}},
    ):
        yield ".tif", _tiff(stack, **options)
    yield ".tif", _tiff(color, photometric="rgb", resolution=(20000, 20000), resolutionunit="CENTIMETER")
    yield ".svs", _tiff(
        color, photometric="rgb", tile=(16, 16), compression="jpeg", metadata=None,
        description="Aperio Image Library v11.2.1\r\n48x40 [0,0 48x40] (16x16) JPEG/RGB|MPP = 0.499",
    )  # fmt: skip
    for suffix, form in ((".png", "PNG"), (".jpg", "JPEG")):
        buffer = io.BytesIO()
        Image.fromarray(color).save(buffer, form, dpi=(12700, 12700))
        yield suffix, buffer.getvalue()
    yield ".csv", _CASES.encode()


def _tiff(pixels: np.ndarray, **options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, **options)
    return buffer.getvalue()


def _damaged(content: bytes, chance: random.Random) -> bytes:
    """A file with some of its bytes changed, most of them where its headers are."""
    damaged = bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 4, 16])):
        near = chance.random() < 0.8
        span = min(_HEADER, len(damaged))
        at = chance.randrange(span) if near else chance.randrange(len(damaged))
        if near and chance.random() < 0.5:
            at = len(damaged) - 1 - at
        kind = chance.randrange(6)
        if kind == 0:
            damaged[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            damaged[at] = chance.choice([0, 1, 0x7F, 0x80, 0xFF, 0x22, 0x3B, 0x3C])
        elif kind == 2:
            word = chance.choice([0, 1, 2**31 - 1, 2**31, 2**32 - 1, 10**6, chance.getrandbits(32)])
            damaged[at : at + 4] = word.to_bytes(4, "little")
        elif kind == 3:
            del damaged[at : at + chance.choice([1, 2, 30])]
        elif kind == 4:
            damaged[at:at] = bytes(chance.randrange(256) for _ in range(chance.choice([1, 2, 30])))
        else:
            source = chance.randrange(max(1, len(damaged) - 40))
            damaged[at : at + 40] = damaged[source : source + 40]
        if not damaged:
            break
    if chance.random() < 0.1:
        del damaged[chance.randrange(len(damaged) + 1) :]
    return bytes(damaged)


def _peak_bytes() -> int:
    """The most memory that this process has taken so far; 0 where the system does not tell."""
    if sys.platform == "win32":
        return 0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
