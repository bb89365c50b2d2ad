"""`ienfd inspect`: what the program understands of one file, before anything is analyzed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.text import Text

    from ienfd.io import Described
    from ienfd.protocol import ImageChoices
    from ienfd.section import Channel

__all__ = ["inspect"]

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("file", type=_FILE)
@click.option(
    "--scene", default=0, show_default=True, type=click.IntRange(0), help="Which image of the file."
)
@click.option("--axes", metavar="AXES", help="Meaning of the axes where the file does not say, e.g. ZCYX.")
@click.option("--protocol", type=_FILE, help="Protocol file (TOML) whose channel names hold.")
def inspect(file: Path, scene: int, axes: str | None, protocol: Path | None) -> int:
    """Print what ienfd understands of FILE: axes, channels, pixel size and where they come from.

    No pixel is read and nothing is written. Exit status 3 when the file cannot be read.
    """
    from rich.padding import Padding

    from ienfd import io
    from ienfd.cli.console import make_console
    from ienfd.errors import UnreadableError
    from ienfd.protocol import Protocol, load_protocol

    choices = (load_protocol(protocol) if protocol else Protocol()).image
    try:
        seen = io.describe(file, scene=scene, axes=axes)
        sha256 = io.file_sha256(file)
    except UnreadableError:
        raise
    except OSError as error:
        raise UnreadableError("file_vanished", f"{file}: {error.strerror or error}") from error
    console = make_console()
    console.print(_table(file, seen, sha256, choices))
    for remark in _remarks(seen):
        console.print(Padding(remark, (0, 1, 1, 1)))
    return 0


def _table(file: Path, seen: Described, sha256: str, choices: ImageChoices) -> object:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _lines(file, seen, sha256, choices):
        table.add_row(name, Text(value))
    return Padding(table, (1, 1, 1, 1))


def _lines(file: Path, seen: Described, sha256: str, choices: ImageChoices) -> Iterator[tuple[str, str]]:
    height, width = seen.shape
    yield "File", file.name
    yield "Format", seen.format
    if seen.scenes > 1:
        yield "Scene", f"{seen.scene} of {seen.scenes} (0 to {seen.scenes - 1})"
    yield "Size", f"{width} x {height} px{_extent(seen)}"
    yield "Axes", f"{seen.axes} as stored" + (", one color image" if seen.rgb else "")
    step = seen.calibration.z_step_um
    yield "Planes", f"{seen.planes}" + (f", {step:.4g} um apart" if step and seen.planes > 1 else "")
    if not seen.rgb and seen.problem is None:
        for number, channel in enumerate(seen.channels):
            only = len(seen.channels) == 1
            yield f"Channel {number}", _channel(channel, number, choices, only=only)
    yield "Samples", seen.dtype + (f", {seen.bit_depth} bits" if seen.bit_depth is not None else "")
    if seen.levels > 1:
        yield "Pyramid", f"{seen.levels} levels, the first is read"
    yield "Pixel size", _pixel_size(seen)
    yield "Memory", f"{max(seen.nbytes / 2**20, 0.1):.1f} MiB for the pixels"
    yield "SHA-256", sha256
    yield from seen.metadata.items()


def _extent(seen: Described) -> str:
    size_um = seen.calibration.pixel_size_um
    if size_um is None:
        return ""
    height, width = seen.shape
    return f", {width * size_um / 1000:.2f} x {height * size_um / 1000:.2f} mm"


def _channel(channel: Channel, number: int, choices: ImageChoices, *, only: bool) -> str:
    from ienfd.section import ChannelRole
    from ienfd.stain.roles import role_of

    name = channel.name or "(no name)"
    for role, position in (
        (ChannelRole.NERVE, choices.nerve_channel),
        (ChannelRole.BASEMENT_MEMBRANE, choices.basement_membrane_channel),
        (ChannelRole.NUCLEI, choices.nuclei_channel),
    ):
        if position == number:
            return f"{name}: {_role(role)}, by its position in the protocol"
    role_by_name = role_of(channel.name, choices)
    if role_by_name is not None:
        return f"{name}: {_role(role_by_name)}"
    return f"{name}: {'the only one, so the nerves' if only else 'its name tells no role'}"


def _role(role: str) -> str:
    return role.replace("_", " ")


def _pixel_size(seen: Described) -> str:
    calibration = seen.calibration
    said = f'; the file says "{calibration.stated}"' if calibration.stated else ""
    if calibration.pixel_size_um is None:
        return f"not known{said}"
    return f"{calibration.pixel_size_um:.6g} um per pixel, from {calibration.source.value}{said}"


def _remarks(seen: Described) -> Iterator[Text]:
    """Why no density could be given, and what must be taken care of."""
    from rich.text import Text

    from ienfd.reasons import REASONS

    problems = (("axes_unknown" if seen.problem else None, seen.problem), (seen.calibration.problem, None))
    for code, detail in problems:
        if code is None:
            continue
        reason = REASONS[code]
        text = Text().append("No density can be given: ", style="yellow")
        text.append(reason.text + (f" ({detail})" if detail else ""))
        yield text.append(f"\n{reason.remedy} [{code}]", style="dim")
    if seen.identifying:
        text = Text().append("May identify a person: ", style="yellow")
        text.append(", ".join(seen.identifying) + ".")
        yield text.append(
            "\nIt is in the file; ienfd reads past it and never copies it anywhere.", style="dim"
        )
