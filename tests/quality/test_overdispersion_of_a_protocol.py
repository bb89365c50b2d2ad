"""What a protocol says of the overdispersion: when it is refused, and what a change of it does over."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from ienfd.analysis_key import analysis_key, rules_key
from ienfd.errors import UsageError
from ienfd.protocol import CallRules, Protocol, canonical_json, load_protocol, protocol_from_json


def written(folder: Path, text: str) -> Path:
    path = folder / "lab.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_laboratory_may_have_its_own(tmp_path: Path) -> None:
    path = written(tmp_path, "[call]\noverdispersion = 1\noverdispersion_weight = 0\n")
    assert load_protocol(path).call == CallRules(overdispersion=1.0, overdispersion_weight=0.0)


@pytest.mark.parametrize(
    ("name", "value"),
    [("overdispersion", value) for value in ("0.99", "0", "-2", "nan", "inf", '"much"')]
    + [("overdispersion_weight", value) for value in ("-0.1", "nan", "inf", '"much"')],
)
def test_one_that_there_is_not_is_refused(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(UsageError, match=name) as caught:
        load_protocol(written(tmp_path, f"[call]\n{name} = {value}\n"))
    assert caught.value.code == "protocol_invalid"


def test_another_one_calls_again_and_neither_counts_nor_analyzes() -> None:
    one, other = Protocol(), Protocol(call=CallRules(overdispersion=1.2, overdispersion_weight=9.0))
    assert one.hash != other.hash
    assert rules_key(one) == rules_key(other)
    first, second = (
        analysis_key(pixel_size_um=0.5, stain=None, axes=None, protocol=protocol) for protocol in (one, other)
    )
    assert first == second


def test_a_protocol_that_was_stored_before_there_was_one_has_the_built_in_one() -> None:
    values = asdict(Protocol(call=CallRules(min_sections=5)))
    del values["call"]["overdispersion"], values["call"]["overdispersion_weight"]
    stored = protocol_from_json(json.dumps(values))
    assert stored == Protocol(call=CallRules(min_sections=5))
    assert protocol_from_json(canonical_json(asdict(stored))) == stored
