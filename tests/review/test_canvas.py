"""A section in a napari viewer without a window: its layers, and what clicks, drags and keys do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from napari.layers import Image, Points, Shapes, Vectors
from napari.utils.key_bindings import coerce_keybinding
from review_scenes import (
    ROW,
    SHAPE,
    SIZE,
    SURE,
    Heard,
    at,
    by_place,
    crossing_at,
    go_to,
    lay_down,
    reviewer_of,
    sheet_of,
    skin,
    slide,
    study,
)

from ienfd.batch.files import StudyFiles
from ienfd.correction.correct import ReviewState
from ienfd.geometry import Projector
from ienfd.review.canvas import Asking, Canvas
from ienfd.review.deeds import DEEDS, deed
from ienfd.review.desk import Desk
from ienfd.review.drawing import handles
from ienfd.review.reviewer import Reviewer
from ienfd.study.store import Store


def opened(store: Store, viewer: ViewerModel, *, path: str = "a.tif", **options: Any) -> Canvas:
    """A section before a reviewer, in a viewer."""
    reviewer = Reviewer(Desk(store), options.pop("name", "A. Reader"), **options)
    canvas = Canvas(viewer, reviewer)
    go_to(reviewer, path)
    return canvas


@pytest.fixture
def canvas(store: Store, viewer: ViewerModel) -> Canvas:
    return opened(store, viewer)


def names(viewer: ViewerModel) -> list[str]:
    return [layer.name for layer in viewer.layers]


def seen(viewer: ViewerModel) -> list[str]:
    return [layer.name for layer in viewer.layers if layer.visible]


def layer(canvas: Canvas, name: str) -> Any:
    return canvas.viewer.layers[name]


def shown(canvas: Canvas) -> dict[int, tuple[str, str]]:
    """By place along the junction in um: the shape of a candidate, and what stands beside it."""
    marks = layer(canvas, "crossings")
    return {
        round(col * SIZE): (str(symbol), str(number))
        for (_, col), symbol, number in zip(marks.data, marks.symbol, marks.features["number"], strict=True)
    }


def point(canvas: Canvas, along_um: float, below_um: float = 0.0) -> None:
    """Move the pointer to a place."""
    row, col = at(along_um, below_um)
    canvas.viewer.cursor.position = (row * SIZE, col * SIZE)


def press(canvas: Canvas, name: str) -> None:
    """The key of a deed, as the viewer has it."""
    canvas.viewer.keymap[coerce_keybinding(deed(name).key)](canvas.viewer)


@dataclass
class Event:
    """What napari tells of the mouse: a place in the world, and one on the screen."""

    type: str
    position: tuple[float, ...]
    pos: tuple[float, float]


def drag(canvas: Canvas, *places_um: tuple[float, float], screen_px: float = 20.0) -> None:
    """Press at the first place, move over the others, and let go at the last; places in (row, col)."""
    callback = canvas.viewer.mouse_drag_callbacks[-1]
    event = Event("mouse_press", places_um[0], (100.0, 100.0))
    moves = callback(canvas.viewer, event)
    next(moves)
    for number, place in enumerate(places_um[1:], 1):
        event.type, event.position = "mouse_move", place
        event.pos = (100.0 + number * screen_px, 100.0)
        next(moves)
    event.type = "mouse_release"
    with pytest.raises(StopIteration):
        next(moves)


def world(along_um: float, below_um: float = 0.0) -> tuple[float, float]:
    row, col = at(along_um, below_um)
    return row * SIZE, col * SIZE


# a section is opened


def test_a_section_is_shown_with_everything_that_was_found(canvas: Canvas) -> None:
    assert names(canvas.viewer) == [
        "picture",
        "fibers",
        "surface",
        "junction",
        "dendritic cells",
        "crossings",
    ]
    kinds = [type(one) for one in canvas.viewer.layers]
    assert kinds == [Image, Vectors, Vectors, Vectors, Points, Points]
    assert seen(canvas.viewer) == names(canvas.viewer)
    for one in canvas.viewer.layers:
        assert {str(unit) for unit in one.units} == {"micrometer"}
    for name in ("fibers", "surface", "junction", "dendritic cells", "crossings"):
        assert layer(canvas, name).scale.tolist() == [SIZE, SIZE]
        assert layer(canvas, name).translate.tolist() == [0.0, 0.0]
    assert not canvas.viewer.layers.selection


def test_the_picture_lies_under_the_marks(canvas: Canvas) -> None:
    """It is half as large: the middle of its first pixel is that of four pixels of the section."""
    picture = layer(canvas, "picture")
    assert picture.data.shape == (SHAPE[0] // 2, SHAPE[1] // 2, 3)
    assert picture.scale.tolist() == [2 * SIZE, 2 * SIZE]
    assert picture.translate.tolist() == [0.5 * SIZE, 0.5 * SIZE]
    corner = picture.data_to_world((-0.5, -0.5))
    assert corner == pytest.approx((-0.5 * SIZE, -0.5 * SIZE))
    assert picture.data_to_world((ROW / 2 - 0.5, 0.0))[0] == pytest.approx((ROW - 0.5) * SIZE)


def test_marks_lie_where_the_candidates_are(canvas: Canvas) -> None:
    result = sheet_of(canvas.reviewer).result
    marks = layer(canvas, "crossings")
    assert marks.data.tolist() == [[c.row_px, c.col_px] for c in result.crossings]
    assert marks.features["object_id"].tolist() == [c.crossing_id for c in result.crossings]
    assert shown(canvas) == {
        50: ("disc", "1"), 100: ("star", ""), 150: ("disc", "2"), 250: ("disc", "3"), 300: ("star", "4"),
        350: ("triangle_down", ""),
    }  # fmt: skip
    assert marks.size.tolist() == [18.0, 18.0, 18.0, 18.0, 18.0, 10.0]  # 9 and 5 um
    assert layer(canvas, "fibers").data.shape == (6, 2, 2)


def test_a_section_without_a_picture_or_a_fiber_is_shown_too(tmp_path: Path, viewer: ViewerModel) -> None:
    with study(tmp_path, slide(findings=skin([]))) as store:
        StudyFiles(store.folder).picture(slide().section_id).unlink()
        canvas = opened(store, viewer)
        assert names(viewer) == ["fibers", "surface", "junction", "dendritic cells", "crossings"]
        assert len(layer(canvas, "crossings").data) == 0
        point(canvas, 200)
        press(canvas, "add")
        assert shown(canvas) == {200: ("disc", "1")}
        press(canvas, "undo")
        assert shown(canvas) == {}


def test_an_image_that_is_gone_leaves_its_picture(canvas: Canvas, store: Store) -> None:
    heard = Heard(canvas.reviewer)
    canvas.reviewer.refresh()
    assert heard.said == ["/images/a.tif: No such file or directory. Only its picture is shown."]
    assert layer(canvas, "picture").visible


def test_the_next_section_takes_the_place_of_the_one_before(tmp_path: Path, viewer: ViewerModel) -> None:
    files = [slide("a.tif"), slide("b.tif", skin(SURE[:1], stain="fluorescence"))]
    with study(tmp_path, *files) as store:
        canvas = opened(store, viewer)
        canvas.reviewer.exclude(at(100), at(130))
        point(canvas, 50)
        canvas.click(at(50))
        press(canvas, "bend")
        assert set(names(viewer)) > {"excluded", "picked", "handles"}
        press(canvas, "next_section")
        assert sorted(names(viewer)) == sorted(
            ["picture", "fibers", "surface", "junction", "dendritic cells", "crossings", "picked"]
        )
        assert len(layer(canvas, "picked").data) == 0
        assert shown(canvas) == {50: ("disc", "1")}
        assert layer(canvas, "fibers").data.shape == (1, 2, 2)
        color = (255 * layer(canvas, "crossings").border_color[0, :3]).round().tolist()
        assert color == [230, 159, 0]  # on a dark ground
        assert canvas.tools.busy == ""
        press(canvas, "previous_section")
        assert len(shown(canvas)) == 6
        assert "excluded" in names(viewer)


# an edit


def test_an_edit_changes_the_marks_in_place(canvas: Canvas) -> None:
    former = [*canvas.viewer.layers]
    point(canvas, 200)
    press(canvas, "add")
    canvas.click(at(150))
    press(canvas, "reject")
    assert shown(canvas) == {
        50: ("disc", "1"), 100: ("star", ""), 150: ("x", ""), 200: ("disc", "2"), 250: ("disc", "3"),
        300: ("star", "4"), 350: ("triangle_down", ""),
    }  # fmt: skip
    assert [one for one in canvas.viewer.layers if one.name != "picked"] == former
    fibers = layer(canvas, "fibers")
    assert len(np.unique(fibers.edge_color, axis=0)) == 2
    press(canvas, "undo")
    press(canvas, "undo")
    assert len(shown(canvas)) == 6


def test_an_excluded_stretch_lies_under_the_lines(canvas: Canvas) -> None:
    canvas.reviewer.exclude(at(90), at(160))
    areas = layer(canvas, "excluded")
    assert isinstance(areas, Shapes)
    assert len(areas.data) == 1
    assert names(canvas.viewer).index("excluded") == names(canvas.viewer).index("picture") + 1
    assert areas.scale.tolist() == [SIZE, SIZE]
    assert shown(canvas)[150] == ("hbar", "")
    canvas.reviewer.exclude(at(200), at(220))
    assert len(layer(canvas, "excluded").data) == 2
    canvas.reviewer.undo()
    canvas.reviewer.undo()
    assert "excluded" not in names(canvas.viewer)


def test_a_redrawn_junction_is_shown_anew(canvas: Canvas) -> None:
    before = layer(canvas, "junction").data.copy()
    course = sheet_of(canvas.reviewer).result.findings.pieces[0].junction_px + np.array([10.0, 0.0])
    canvas.reviewer.redraw_junction(0, course)
    drawn = layer(canvas, "junction").data
    assert set(drawn[:, 0, 0]) == {ROW + 10}
    canvas.reviewer.undo()
    assert np.array_equal(layer(canvas, "junction").data, before)


def test_what_another_did_is_shown_after_a_conflict(canvas: Canvas, store: Store) -> None:
    reviewer_of(store, "B. Reader").add_at(*at(200))
    heard = Heard(canvas.reviewer)
    canvas.click(at(150))
    press(canvas, "reject")
    assert heard.troubled[0].startswith("Somebody else has just changed this section:")
    assert shown(canvas)[200] == ("disc", "3")
    assert shown(canvas)[150] == ("disc", "2")


# picking


def test_a_click_at_a_crossing_picks_it(canvas: Canvas) -> None:
    canvas.viewer.scene.camera.zoom = 4.0  # 12 pixels of the screen are 3 um
    canvas.click(at(152, below_um=1))
    crossing = crossing_at(sheet_of(canvas.reviewer).result, 150)
    assert canvas.reviewer.selection is not None
    assert canvas.reviewer.selection.object_id == crossing.crossing_id
    ring = layer(canvas, "picked")
    assert ring.data.tolist() == [[crossing.row_px, crossing.col_px]]
    assert ring.size.tolist() == [32.0]
    canvas.click(at(155))
    assert canvas.reviewer.selection.kind == "junction"
    canvas.click(at(155, below_um=40))
    assert canvas.reviewer.selection is None
    assert len(ring.data) == 0


def test_from_afar_a_click_reaches_farther(canvas: Canvas) -> None:
    canvas.viewer.scene.camera.zoom = 0.5
    canvas.click(at(170))
    assert canvas.reviewer.selection is not None
    assert canvas.reviewer.selection.kind == "crossing"


def test_the_ring_moves_with_what_is_picked(canvas: Canvas) -> None:
    canvas.click(at(150))
    point(canvas, 165)
    press(canvas, "move")
    assert layer(canvas, "picked").data.tolist() == [list(at(165))]
    press(canvas, "undo")
    assert layer(canvas, "picked").data.tolist() == [pytest.approx(list(at(150)))]


def test_the_view_flies_to_what_is_picked(canvas: Canvas) -> None:
    press(canvas, "next")
    assert canvas.viewer.scene.camera.center[-2:] == pytest.approx((ROW * SIZE, 50.0))
    width_um = canvas.viewer.canvas.size[-1] / canvas.viewer.scene.camera.zoom
    assert width_um == pytest.approx(canvas.reviewer.close_um)
    press(canvas, "next")
    press(canvas, "back")
    assert canvas.viewer.scene.camera.center[-1] == pytest.approx(50.0)
    press(canvas, "overview")
    assert canvas.viewer.scene.camera.center[-1] == pytest.approx(SHAPE[1] * SIZE / 2, abs=2.0)


# the mouse


def test_a_press_that_hardly_moves_is_a_click(canvas: Canvas) -> None:
    drag(canvas, world(150))
    assert canvas.reviewer.selection is not None
    assert canvas.reviewer.selection.kind == "crossing"
    canvas.click(at(155, below_um=40))
    drag(canvas, world(150), world(151), screen_px=3.0)
    assert canvas.reviewer.selection is not None


def test_a_press_that_moves_pans_and_picks_nothing(canvas: Canvas) -> None:
    canvas.click(at(50))
    before = canvas.reviewer.selection
    drag(canvas, world(150), world(180), world(150), screen_px=30.0)
    assert canvas.reviewer.selection == before
    assert canvas.viewer.scene.camera.mouse_pan


def test_a_click_in_an_empty_viewer_is_nothing(store: Store, viewer: ViewerModel) -> None:
    canvas = Canvas(viewer, Reviewer(Desk(store), "A. Reader"))
    callback = viewer.mouse_drag_callbacks[-1]
    assert list(callback(viewer, Event("mouse_press", (1.0, 2.0), (1.0, 2.0)))) == []
    heard = Heard(canvas.reviewer)
    for name in ("add", "move", "exclude", "redraw", "bend", "undo", "next", "marks", "overview"):
        press(canvas, name)
    canvas.fly(1.0, 2.0, 100.0)
    assert names(viewer) == []
    assert heard.troubled == []
    assert store.edits() == []


def test_a_pointer_beside_the_section_adds_nothing(canvas: Canvas, store: Store) -> None:
    heard = Heard(canvas.reviewer)
    for place in ((-5.0, 10.0), (10.0, SHAPE[1] * SIZE + 1)):
        canvas.viewer.cursor.position = place
        for name in ("add", "move", "exclude", "include"):
            press(canvas, name)
    assert heard.said == ["Point at the section first."] * 8
    assert store.edits() == []


# tools


def test_a_stretch_is_excluded_in_two_presses_of_a_key(canvas: Canvas, store: Store) -> None:
    heard = Heard(canvas.reviewer)
    point(canvas, 140)
    press(canvas, "exclude")
    assert (canvas.tools.busy, store.edits()) == ("exclude", [])
    assert heard.said == ["Now point at its other end and press the same key. Esc gives up."]
    point(canvas, 160)
    press(canvas, "exclude")
    assert canvas.tools.busy == ""
    assert by_place(sheet_of(canvas.reviewer).result)[150] == (False, "excluded_stretch")
    for along in (145, 155):
        point(canvas, along)
        press(canvas, "include")
    assert by_place(sheet_of(canvas.reviewer).result)[150] == (True, "crosses")


def test_what_is_half_done_is_given_up_by_escape_or_by_another_tool(canvas: Canvas, store: Store) -> None:
    point(canvas, 140)
    press(canvas, "exclude")
    press(canvas, "cancel")
    assert canvas.tools.busy == ""
    press(canvas, "exclude")
    point(canvas, 160)
    press(canvas, "include")  # the other key begins anew
    assert canvas.tools.busy == "include"
    press(canvas, "redraw")
    canvas.click(at(100))
    assert "drawing" in names(canvas.viewer)
    press(canvas, "cancel")
    assert "drawing" not in names(canvas.viewer)
    assert store.edits() == []


def test_a_stretch_of_the_junction_is_drawn_with_a_live_wire(canvas: Canvas) -> None:
    """The edge of the picture runs half a pixel above the junction: the wire follows it."""
    press(canvas, "redraw")
    for along in (100, 200, 300):
        canvas.click((ROW - 0.5, 2.0 * along))
        assert canvas.reviewer.selection is None  # a click is a point of the line
    assert isinstance(layer(canvas, "drawing"), Shapes)
    drawn = layer(canvas, "drawing").data[0]
    assert np.abs(drawn[:, 0] - (ROW - 0.5)).max() < 2.0
    press(canvas, "redraw")
    assert "drawing" not in names(canvas.viewer)
    course = sheet_of(canvas.reviewer).result.findings.pieces[0].junction_px
    inside = (course[:, 1] > 200) & (course[:, 1] < 600)
    assert np.abs(course[inside, 0] - (ROW - 0.5)).max() < 2.0
    assert set(course[~inside, 0]) <= {ROW, ROW - 0.5}
    assert sheet_of(canvas.reviewer).result.count == 4
    assert canvas.reviewer.desk.store.edits()[0].edit.command.value == "edit_junction"


@pytest.mark.parametrize("clicks", [[], [at(100)], [at(100), at(100)]])
def test_a_line_of_less_than_two_places_is_none(
    canvas: Canvas, store: Store, clicks: list[tuple[float, float]]
) -> None:
    heard = Heard(canvas.reviewer)
    press(canvas, "redraw")
    for place in clicks:
        canvas.click(place)
    press(canvas, "redraw")
    assert heard.said[-1] == "Nothing was drawn: it takes two clicks or more."
    assert store.edits() == []


def test_without_a_picture_there_is_nothing_to_follow(tmp_path: Path, viewer: ViewerModel) -> None:
    with study(tmp_path) as store:
        StudyFiles(store.folder).picture(slide().section_id).unlink()
        canvas = opened(store, viewer)
        heard = Heard(canvas.reviewer)
        press(canvas, "redraw")
        assert heard.said == ["There is no picture to follow."]
        assert canvas.tools.busy == ""


def test_a_point_of_the_junction_is_dragged(canvas: Canvas) -> None:
    places = handles(sheet_of(canvas.reviewer).findings.pieces[0], SIZE)
    press(canvas, "bend")
    assert layer(canvas, "handles").data == pytest.approx(places)
    (row, col) = places[4]
    canvas.viewer.scene.camera.zoom = 4.0
    pans: list[bool] = []
    canvas.viewer.scene.camera.events.mouse_pan.connect(
        lambda event: pans.append(canvas.viewer.scene.camera.mouse_pan)
    )
    start, end = (row * SIZE, col * SIZE), (row * SIZE + 6.0, col * SIZE)
    drag(canvas, start, (row * SIZE + 3.0, col * SIZE), end)
    assert pans == [False, True]  # the view stays while a point is held
    course = sheet_of(canvas.reviewer).result.findings.pieces[0].junction_px
    assert np.hypot(*(course - [row + 12.0, col]).T).min() * SIZE < 1.0
    assert np.abs(Projector(course)(np.delete(places, 4, axis=0)).signed).max() < 0.1
    assert "drawing" not in names(canvas.viewer)
    moved = layer(canvas, "handles").data
    assert Projector(course)(moved).signed == pytest.approx(0.0, abs=1e-6)
    press(canvas, "bend")
    assert "handles" not in names(canvas.viewer)


def test_while_a_point_is_dragged_the_line_is_shown_and_nothing_is_written(
    canvas: Canvas, store: Store
) -> None:
    press(canvas, "bend")
    place = handles(sheet_of(canvas.reviewer).findings.pieces[0], SIZE)[4]
    held = canvas.tools.handle_at((place[0], place[1]), 3.0)
    assert held == (0, 4)
    canvas.tools.drag((0, 4), (place[0] + 20, place[1]))
    assert layer(canvas, "drawing").data[0][:, 0].max() == pytest.approx(ROW + 20, abs=1.0)
    assert store.edits() == []
    press(canvas, "cancel")
    assert (canvas.tools.busy, "drawing" in names(canvas.viewer)) == ("", False)
    assert canvas.tools.handle_at((place[0], place[1]), 3.0) is None


def test_a_click_on_a_handle_is_no_drag(canvas: Canvas, store: Store) -> None:
    press(canvas, "bend")
    row, col = handles(sheet_of(canvas.reviewer).findings.pieces[0], SIZE)[4]
    canvas.viewer.scene.camera.zoom = 4.0
    drag(canvas, (row * SIZE, col * SIZE))
    assert store.edits() == []
    drag(canvas, (row * SIZE + 50, col * SIZE), (row * SIZE + 60, col * SIZE))  # beside it
    assert store.edits() == []


# keys and views


def test_every_deed_has_a_key_of_its_own(canvas: Canvas) -> None:
    keys = [coerce_keybinding(one.key) for one in DEEDS]
    assert len(set(keys)) == len(DEEDS) == len({one.name for one in DEEDS})
    assert set(keys) <= set(canvas.viewer.keymap)
    assert all(one.label and one.help.endswith(".") and one.group for one in DEEDS)
    with pytest.raises(KeyError):
        deed("fly to the moon")


def test_a_key_is_shown_as_a_person_reads_it() -> None:
    assert [deed(name).shown_key for name in ("redo", "next_section", "cancel", "remove", "accept")] == [
        "Ctrl+Shift+Z", "Page down", "Esc", "Del", "Y",
    ]  # fmt: skip
    assert (deed("accept").face, deed("undo").face) == ("Crosses  Y", "Undo")


def test_marks_are_hidden_and_shown_again(canvas: Canvas) -> None:
    press(canvas, "marks")
    assert seen(canvas.viewer) == ["picture"]
    canvas.reviewer.exclude(at(90), at(110))  # and stay hidden
    assert seen(canvas.viewer) == ["picture"]
    press(canvas, "marks")
    assert seen(canvas.viewer) == names(canvas.viewer)


def test_what_is_asked_and_shown_beside_the_layers(store: Store, viewer: ViewerModel) -> None:
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        return "thin"

    reviewer = Reviewer(Desk(store), "A. Reader")
    asking = Asking(text=answer, keys=lambda: asked.append("keys"), sign=lambda: asked.append("sign"))
    canvas = Canvas(viewer, reviewer, asking=asking)
    go_to(reviewer, "a.tif")
    for name in ("note", "keys", "sign"):
        press(canvas, name)
    assert asked == ["A remark on what is picked, or on the section:", "keys", "sign"]
    assert (store.edits()[0].edit.after or {}) == {"text": "thin"}
    press(canvas, "reviewed")
    assert sheet_of(reviewer).corrected.review is ReviewState.REVIEWED
    press(canvas, "second_reader")
    assert sheet_of(reviewer).corrected.review is ReviewState.NEEDS_SECOND_READER


def test_keys_judge_what_is_picked(canvas: Canvas, store: Store) -> None:
    press(canvas, "unseen")
    for name in ("accept", "not_sure", "reject", "accept", "accept"):
        press(canvas, name)
    canvas.click(at(50))
    press(canvas, "remove")
    done = [entry.edit.command.value for entry in store.edits()]
    assert done == [
        "assess_crossing", "assess_crossing", "reclassify_crossing", "assess_crossing", "assess_crossing",
        "remove_crossing",
    ]  # fmt: skip
    press(canvas, "undo")
    press(canvas, "redo")
    assert by_place(sheet_of(canvas.reviewer).result)[50] == (False, "reviewer_removed")


# a blind reader


def test_a_blind_reader_sees_the_image_and_own_marks_only(store: Store, viewer: ViewerModel) -> None:
    reviewer_of(store).exclude(at(90), at(110))
    canvas = opened(store, viewer, name="B. Reader", blind=True)
    point(canvas, 60)
    press(canvas, "add")
    point(canvas, 200)
    press(canvas, "add")
    assert seen(viewer) == ["picture", "excluded", "my marks", "picked"]
    assert layer(canvas, "my marks").data.tolist() == [list(at(60)), list(at(200))]
    canvas.click(at(60))
    press(canvas, "remove")
    assert layer(canvas, "my marks").data.tolist() == [list(at(200))]
    for name in ("exclude", "redraw", "bend"):
        press(canvas, name)
    assert canvas.tools.busy == ""
    press(canvas, "compare")
    assert {"fibers", "crossings", "junction", "my marks"} <= set(seen(viewer))


def test_the_next_section_of_a_blind_reader_is_blind_again(tmp_path: Path, viewer: ViewerModel) -> None:
    with study(tmp_path, slide("a.tif"), slide("b.tif")) as store:
        canvas = opened(store, viewer, name="B. Reader", blind=True)
        press(canvas, "compare")
        assert "crossings" in seen(viewer)
        press(canvas, "next_section")
        assert set(seen(viewer)) <= {"picture", "my marks", "picked"}
        press(canvas, "marks")
        press(canvas, "marks")
        assert set(seen(viewer)) <= {"picture", "my marks", "picked"}
        point(canvas, 60)
        press(canvas, "add")
        assert set(seen(viewer)) <= {"picture", "my marks", "picked"}


# a stack


def stacked(folder: Path) -> tuple[Path, bytes]:
    """An image of five planes, 3 um apart."""
    pixels = np.zeros((5, 1, *SHAPE), np.uint8)
    pixels[:] = np.arange(5, dtype=np.uint8)[:, None, None, None] * 10
    path = folder / "images" / "a.tif"
    path.parent.mkdir()
    tifffile.imwrite(
        path, pixels, ome=True, photometric="minisblack",
        metadata={"axes": "ZCYX", "PhysicalSizeX": SIZE, "PhysicalSizeY": SIZE, "PhysicalSizeZ": 3.0},
    )  # fmt: skip
    return path, path.read_bytes()


@pytest.fixture
def deep(tmp_path: Path, viewer: ViewerModel) -> Iterator[Canvas]:
    path, content = stacked(tmp_path)
    with Store(tmp_path / "study", create=True) as store:
        lay_down(store, slide(findings=skin(stain="fluorescence"), content=content), root=path.parent)
        yield opened(store, viewer)


def test_a_stack_is_shown_as_its_projection_until_its_planes_are_asked_for(deep: Canvas) -> None:
    heard = Heard(deep.reviewer)
    images = [one for one in deep.viewer.layers if isinstance(one, Image)]
    assert [(one.name, one.visible) for one in images] == [("picture", True), ("(nerve)", False)]
    assert images[1].scale.tolist() == [3.0, SIZE, SIZE]
    assert deep.scene.depth_um is None
    press(deep, "projection")
    assert [one.visible for one in images] == [False, True]
    deep.viewer.dims.set_point(0, 6.0)
    assert deep.scene.depth_um == 6.0
    press(deep, "projection")
    assert [one.visible for one in images] == [True, False]
    assert heard.said == []


def test_what_is_added_in_a_plane_has_its_depth(deep: Canvas) -> None:
    press(deep, "projection")
    deep.viewer.dims.set_point(0, 9.0)
    row, col = world(200)
    deep.viewer.cursor.position = (9.0, row, col)
    press(deep, "add")
    assert crossing_at(sheet_of(deep.reviewer).result, 200).z_um == 9.0
    press(deep, "projection")
    deep.viewer.cursor.position = (9.0, *world(210))
    press(deep, "add")
    assert crossing_at(sheet_of(deep.reviewer).result, 210).z_um is None


def test_what_is_picked_brings_its_plane(deep: Canvas) -> None:
    press(deep, "projection")
    deep.viewer.dims.set_point(0, 9.0)
    deep.viewer.cursor.position = (9.0, *world(200))
    press(deep, "add")
    deep.viewer.dims.set_point(0, 0.0)
    deep.click(at(200))
    assert deep.viewer.dims.point[0] == 9.0


def test_a_section_of_one_plane_has_no_stack(canvas: Canvas) -> None:
    heard = Heard(canvas.reviewer)
    press(canvas, "projection")
    assert heard.said == ["This section is one plane."]


def test_an_image_that_is_read_late_is_not_shown_over_another_section(
    tmp_path: Path, viewer: ViewerModel
) -> None:
    path, content = stacked(tmp_path)
    waiting: list[Callable[[], None]] = []
    with Store(tmp_path / "study", create=True) as store:
        lay_down(store, slide("a.tif", content=content), slide("b.tif"), root=path.parent)
        reviewer = Reviewer(Desk(store), "A. Reader")
        canvas = Canvas(viewer, reviewer, background=lambda work, then: waiting.append(lambda: then(work())))
        go_to(reviewer, "a.tif")
        go_to(reviewer, "b.tif")
        for late in waiting:
            late()
        assert [one.name for one in viewer.layers if isinstance(one, Image)] == ["picture"]
        go_to(reviewer, "a.tif")
        for late in waiting[-3:]:
            late()
        assert "(nerve)" in names(viewer)
        assert canvas.scene.sheet is reviewer.sheet


# leaving


def test_closing_leaves_the_viewer_as_it_was(store: Store, viewer: ViewerModel) -> None:
    own = viewer.add_points(np.zeros((1, 2)), name="somebody else's")
    keys, mouse = dict(viewer.keymap), [*viewer.mouse_drag_callbacks]
    bar = viewer.canvas.overlays.scale_bar
    before = bar.visible, bar.position
    canvas = opened(store, viewer)
    canvas.reviewer.exclude(at(90), at(110))
    canvas.click(at(150))
    press(canvas, "redraw")
    canvas.click(at(150))
    assert bar.visible
    canvas.close()
    assert [*viewer.layers] == [own]
    assert (dict(viewer.keymap), [*viewer.mouse_drag_callbacks]) == (keys, mouse)
    assert (bar.visible, bar.position) == before
    canvas.reviewer.add_at(*at(200))  # the reviewer may go on; nothing is shown
    assert [*viewer.layers] == [own]


def test_a_second_canvas_may_follow_in_the_same_viewer(store: Store, viewer: ViewerModel) -> None:
    opened(store, viewer).close()
    canvas = opened(store, viewer)
    assert len(shown(canvas)) == 6
    press(canvas, "next")
    assert canvas.reviewer.selection is not None


def test_a_layer_that_a_person_deleted_is_not_missed(canvas: Canvas) -> None:
    canvas.reviewer.exclude(at(90), at(110))
    canvas.viewer.layers.remove("excluded")
    canvas.reviewer.exclude(at(120), at(140))
    assert len(layer(canvas, "excluded").data) == 2
