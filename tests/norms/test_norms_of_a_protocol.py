"""A protocol whose call could not be carried out is refused when it is read, not after the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from ienfd.errors import UsageError
from ienfd.protocol import load_protocol


def written(folder: Path, text: str) -> Path:
    path = folder / "lab.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("stain", ["bright_field", "fluorescence"])
def test_a_norm_that_is_not_there(tmp_path: Path, stain: str) -> None:
    with pytest.raises(UsageError, match="lauria2010") as caught:
        load_protocol(written(tmp_path, f'[call]\nnorm_{stain} = "lauria2010"\n'))
    assert caught.value.code == "unknown_norm"


@pytest.mark.parametrize("level", ["0", "1", "95", "-0.5", "nan"])
def test_a_level_that_no_interval_has(tmp_path: Path, level: str) -> None:
    with pytest.raises(UsageError, match="interval_level") as caught:
        load_protocol(written(tmp_path, f"[density]\ninterval_level = {level}\n"))
    assert caught.value.code == "protocol_invalid"


def test_no_norm_at_all_is_a_choice(tmp_path: Path) -> None:
    protocol = load_protocol(written(tmp_path, '[call]\nnorm_bright_field = ""\n'))
    assert (protocol.call.norm_bright_field, protocol.call.norm_fluorescence) == ("", "bursova2012")
