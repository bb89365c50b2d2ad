"""What ImageJ calls the images of a stack names its channels."""

from __future__ import annotations

import pytest

from ienfd.io.descriptions import channel_names


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["DAPI", "PGP9.5"], ("DAPI", "PGP9.5")),
        (["c:1/2 - Nuclei DAPI", "c:2/2 - Nerve PGP 9.5"], ("Nuclei DAPI", "Nerve PGP 9.5")),
        (["c:1/2 - visit 3 PGP.lif", "c:2/2 - visit 3 PGP.lif"], (None, None)),  # the name of the file
        (["PGP.tif", "PGP.tif"], (None, None)),
        ([], ()),
    ],
)
def test_names_are_the_words_that_differ(labels: list[str], names: tuple[str | None, ...]) -> None:
    assert channel_names(labels) == names
