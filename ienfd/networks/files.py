"""The networks that come with the program: numbers of 16 bits, no code in them."""

from __future__ import annotations

import hashlib
import io
from functools import cache
from importlib import resources
from typing import Literal

from ienfd.errors import EnvironmentProblem
from ienfd.networks.network import Network, read_network

__all__ = ["trained"]

_SHA256 = {
    "junction_1": "43a4b4c30e4ec29ef54774fd13281010586058cb8922dcb485a3fdc35e91fc2a",
    "fibers_2": "6154ce6c76797569aa73c6da7f96f452407ae3582ba4af3db6cbb7e0f2e995bc",
}


@cache
def trained(name: Literal["junction_1", "fibers_2"]) -> Network:
    """A network that comes with the program.

    Raises
    ------
    EnvironmentProblem
        If its file is not the one of this version.
    """
    file = f"{name}.npz"
    content = resources.files("ienfd.networks").joinpath(file).read_bytes()
    if hashlib.sha256(content).hexdigest() != _SHA256[name]:
        raise EnvironmentProblem("program_damaged", file)
    return read_network(io.BytesIO(content))
