"""A run takes what the laboratory has validated into its study."""

from __future__ import annotations

from pathlib import Path

import pytest
from batch_standins import ENGINE

from ienfd.batch.plan import BatchOptions
from ienfd.batch.run import run_batch
from ienfd.errors import UsageError
from ienfd.protocol import CountingRules, Protocol
from ienfd.study.store import Store
from ienfd.study.validated import FILE_VARIABLE, pin


def test_a_run_takes_the_pin_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images, study, file = tmp_path / "images", tmp_path / "study", tmp_path / "validated.toml"
    monkeypatch.setenv(FILE_VARIABLE, str(file))
    images.mkdir()
    (images / "a.tif").write_text("fine", encoding="utf-8")
    options = BatchOptions(images, study, engine=ENGINE)
    assert not [text for text in run_batch(options, workers=1).warnings if "validated" in text]
    entry, _ = pin(Protocol("lab", counting=CountingRules(min_reach_um=5.0)), by="A. Head")
    report = run_batch(options, workers=1)
    assert [text for text in report.warnings if "validated" in text]
    assert report.biopsies[0].density_per_mm == 1.0
    with Store(study) as store:
        assert store.validated() == entry
    file.write_text("damaged", encoding="utf-8")
    with pytest.raises(UsageError, match=r"validated\.toml"):
        run_batch(options, workers=1)
