"""What a channel shows, by name, position, or because it is the only one left."""

from __future__ import annotations

import numpy as np
import pytest

from ienfd.protocol import ImageChoices
from ienfd.section import Calibration, Channel, ChannelRole, Section
from ienfd.stain.roles import assign_roles, role_of

NERVE, MEMBRANE, NUCLEI, IGNORE = (
    ChannelRole.NERVE, ChannelRole.BASEMENT_MEMBRANE, ChannelRole.NUCLEI, ChannelRole.IGNORE,
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("PGP 9.5", NERVE), ("anti-UCHL1 Alexa 488", NERVE), ("Collagen IV", MEMBRANE), ("COL4A1", MEMBRANE),
        ("laminin", MEMBRANE), ("DAPI", NUCLEI), ("Hoechst 33342", NUCLEI), ("CGRP", None), ("", None),
        (None, None),
    ],
)  # fmt: skip
def test_names(name: str | None, role: ChannelRole | None) -> None:
    assert role_of(name, ImageChoices()) is role


def section(*names: str | None) -> Section:
    return Section(np.zeros((1, 4, 4, len(names))), Calibration(0.5), tuple(Channel(name) for name in names))


def roles(choices: ImageChoices, *names: str | None) -> tuple[list[ChannelRole | None], bool]:
    found, certain = assign_roles(section(*names), choices)
    return [channel.role for channel in found.channels], certain


def test_named_channels_in_any_order() -> None:
    assert roles(ImageChoices(), "DAPI", "PGP9.5", "laminin") == ([NUCLEI, NERVE, MEMBRANE], True)


def test_the_only_unknown_channel_is_the_nerve_channel_and_said_to_be_a_guess() -> None:
    assert roles(ImageChoices(), "DAPI", "FITC") == ([NUCLEI, NERVE], False)


def test_two_unknown_channels_are_not_guessed() -> None:
    assert roles(ImageChoices(), "FITC", "Cy3") == ([IGNORE, IGNORE], False)


def test_a_single_channel_shows_the_nerves() -> None:
    assert roles(ImageChoices(), None) == ([NERVE], True)


def test_a_position_overrides_a_name() -> None:
    assert roles(ImageChoices(nerve_channel=1), "PGP9.5", "FITC") == ([IGNORE, NERVE], True)
