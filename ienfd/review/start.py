"""Open a study for review: in a window of its own, or in a viewer that is there already."""

from __future__ import annotations

import gc
import getpass
from importlib import import_module
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from ienfd.errors import MissingExtraError
from ienfd.study.store import Store

__all__ = ["open_review", "panel_of", "run_review"]

_PANELS: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
_DOCKS = ("dockLayerList", "dockLayerControls")


def open_review(
    study: Path | str,
    viewer: Any = None,
    *,
    reader: str = "",
    case_id: str | None = None,
    blind: bool = False,
    show_first: bool = True,
) -> Any:
    """Open a study for review.

    Parameters
    ----------
    study : Path
        The study folder.
    viewer : napari.Viewer, optional
        Where to show it; a new one when not given.
    reader : str
        Who reviews; by default the name in the settings of the plugin, or that of the account.
    case_id : str, optional
        Show this case only.
    blind : bool
        A second reading that shows nobody else's marks.
    show_first : bool
        Open the first section that somebody has still to look at.

    Returns
    -------
    ReviewPanel
        Docked in `panel.viewer`. Closing the window, or `panel.finish()`, writes the tables of the
        study anew.

    Raises
    ------
    MissingExtraError
        If napari is not installed.
    UsageError
        If it is no study.
    """
    napari = _napari()
    from napari.settings import get_plugin_settings

    from ienfd.review.desk import Desk
    from ienfd.review.panels.review_panel import ReviewPanel
    from ienfd.review.reviewer import Reviewer

    former = panel_of(viewer)
    if former is not None:
        former.finish()
        viewer.window.remove_dock_widget(former)
    store = Store(Path(study))
    try:
        chosen = get_plugin_settings("ienfd").review
        name = reader.strip() or chosen.reader.strip() or _account_name()
        desk = Desk(store, case_id, name if blind else None)
        reviewer = Reviewer(desk, name, blind=blind, close_um=chosen.tour_width_um)
        own = viewer is None
        viewer = napari.Viewer(title=f"ienfd review: {Path(study).name}") if own else viewer
        panel = ReviewPanel(viewer, reviewer)
    except BaseException:
        store.close()
        raise
    _PANELS[viewer.window] = panel
    viewer.window.add_dock_widget(panel, name="ienfd review", area="right")
    import_module("pandas")  # napari would do it with the first layer of the first section
    if own:
        _make_room(viewer)
        gc.collect()
        gc.freeze()  # napari collects garbage with every layer that goes: what is here will stay
    if show_first:
        reviewer.open_next()
    return panel


def panel_of(viewer: Any) -> Any:
    """The panel of the review that is open in a viewer; None where there is none."""
    return None if viewer is None else _PANELS.get(viewer.window)


def run_review(study: Path, *, reader: str, case_id: str | None, blind: bool) -> None:
    """Open a study in a window, and return when that is closed."""
    napari = _napari()
    panel = open_review(study, reader=reader, case_id=case_id, blind=blind)
    try:
        napari.run()
    finally:
        panel.finish()


def _napari() -> Any:
    try:
        import napari
        import qtpy  # noqa: F401 - a viewer without Qt has no window
    except ImportError as error:
        raise MissingExtraError("extra_missing", "pip install 'ienfd[gui]'") from error
    return napari


def _account_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"


def _make_room(viewer: Any) -> None:
    """Close napari's own panels, which the View menu opens again: the screen belongs to the section."""
    qt_viewer = getattr(viewer.window, "_qt_viewer", None)
    for name in _DOCKS:
        dock = getattr(qt_viewer, name, None)
        if dock is not None:
            dock.setVisible(False)
