"""What napari's own menus offer of ienfd."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from gui_scenes import SPEC, phantom_file
from npe2 import PluginManifest

from ienfd.phantom import make
from ienfd.review.panels.analyze_panel import AnalyzePanel
from ienfd.review.panels.study_chooser import StudyChooser
from ienfd.review.plugin import image_reader, study_reader, write_geojson
from ienfd.review.start import open_review, panel_of


def test_the_manifest_is_valid_and_names_what_there_is() -> None:
    manifest = PluginManifest.from_distribution("ienfd")
    manifest.validate_imports()
    assert {widget.display_name for widget in manifest.contributions.widgets or ()} == {
        "Review a study",
        "Count nerve fibers in an image",
    }


def test_a_study_is_opened_by_its_folder_and_nothing_else_is(
    viewer: Any, study: Path, tmp_path: Path
) -> None:
    assert study_reader(str(tmp_path)) is None
    read = study_reader(str(study))
    assert read is not None
    assert read(str(study)) == [(None,)]
    panel = panel_of(viewer)
    assert panel.title.text() == "one.ome.tif"
    panel.finish()


def test_the_chooser_says_what_is_no_study(viewer: Any, study: Path, tmp_path: Path) -> None:
    chooser = StudyChooser(viewer)
    chooser.open(tmp_path)
    assert "study" in chooser.words.text()
    assert panel_of(viewer) is None
    chooser.reader.setText("C. Reader")
    chooser.open(study)
    assert panel_of(viewer).reviewer.name == "C. Reader"
    panel_of(viewer).finish()


def test_the_section_under_review_is_saved_for_qupath(viewer: Any, study: Path, tmp_path: Path) -> None:
    target = tmp_path / "section.geojson"
    with pytest.raises(ValueError, match="open a study"):
        write_geojson(str(target), [])
    panel = open_review(study, viewer, reader="A")
    panel.reviewer.tour()
    panel.reviewer.reject()
    assert write_geojson(str(target), []) == [str(target)]
    features = json.loads(target.read_text())["features"]
    counted = [f for f in features if f["properties"]["classification"]["name"] == "Crossing: counted"]
    assert len(counted) == panel.reviewer.sheet.result.count
    panel.finish()


def test_an_image_brings_its_pixel_size_and_is_analyzed(viewer: Any, tmp_path: Path, settle: Any) -> None:
    image = phantom_file(tmp_path, "one")
    read = image_reader(str(image))
    assert read is not None
    for pixels, options, _ in read(str(image)):
        viewer.add_image(pixels, **options)
    panel = AnalyzePanel(viewer)
    assert panel.pixel_size.value() == SPEC.pixel_size_um
    told: list[float] = []
    panel.told.connect(lambda _words, share: told.append(share))
    panel.start()
    assert panel.cancel.isEnabled()
    settle(panel.button.isEnabled, 60.0)
    assert told == sorted(told)
    assert panel.card.section.text().endswith("/mm")
    assert viewer.layers["crossings"].data.shape[0] > 0
    panel.background.close()


def test_an_analysis_can_be_cancelled_and_one_without_a_pixel_size_is_not_begun(
    viewer: Any, settle: Any
) -> None:
    viewer.add_image(make(SPEC, 41).pixels[0, ..., 0], name="plain")
    panel = AnalyzePanel(viewer)
    panel.start()
    assert "size of a pixel" in panel.words.text()
    panel.pixel_size.setValue(0.5)
    panel.told.connect(lambda _words, _share: panel.stop())
    panel.start()
    settle(panel.button.isEnabled, 60.0)
    assert panel.words.text().startswith("Cancelled")
    assert "crossings" not in viewer.layers
    panel.background.close()
