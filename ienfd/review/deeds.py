"""Everything a reviewer can do, with key and words: one table for keys, buttons, tooltips, cheat sheet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ienfd.correction.correct import ReviewState

if TYPE_CHECKING:
    from ienfd.review.canvas import Canvas

__all__ = ["DEEDS", "KEYS_BESIDE", "Deed", "deed"]


@dataclass(frozen=True)
class Deed:
    """One thing to do.

    Parameters
    ----------
    name : str
        What tests and menus call it.
    key : str
        Its key, as napari spells it.
    label : str
        On its button.
    help : str
        In its tooltip and on the cheat sheet.
    group : str
        Where on the cheat sheet.
    do : callable
        Does it.
    """

    name: str
    key: str
    label: str
    help: str
    group: str
    do: Callable[[Canvas], None]

    @property
    def face(self) -> str:
        """What stands on its button: label and, where it is short, key."""
        return self.label if "+" in self.shown_key else f"{self.label}  {self.shown_key}"

    @property
    def shown_key(self) -> str:
        """The key as a person reads it."""
        return _SHOWN.get(self.key, self.key).replace("Control-", "Ctrl+").replace("Shift-", "Shift+")


KEYS_BESIDE = {"keys": ("?", "Shift-?", "Shift-/")}
"""Further keys of a deed: `?` comes as one or the other, by the keyboard."""

_SHOWN = {"PageDown": "Page down", "PageUp": "Page up", "Escape": "Esc", "Delete": "Del", "F1": "F1 or ?"}
_TOUR, _CANDIDATE, _JUNCTION = "Going on", "The candidate that is picked", "The junction"
_SECTION, _VIEW = "The section", "The view"

DEEDS: tuple[Deed, ...] = (
    Deed("next", "N", "Next", "Fly to the next candidate.", _TOUR, lambda c: c.reviewer.tour(1)),
    Deed("back", "B", "Back", "Fly to the candidate before.", _TOUR, lambda c: c.reviewer.tour(-1)),
    Deed("unseen", "G", "Unseen", "Fly to the next candidate that nobody has judged.", _TOUR,
         lambda c: c.reviewer.next_unseen()),
    Deed("next_section", "PageDown", "Next section", "Open the next section of the queue.", _TOUR,
         lambda c: c.reviewer.step(1)),
    Deed("previous_section", "PageUp", "Previous section", "Open the section before.", _TOUR,
         lambda c: c.reviewer.step(-1)),
    Deed("next_open", "K", "Next to look at", "Open the next section that nobody has reviewed.", _TOUR,
         lambda c: c.reviewer.open_next()),
    Deed("accept", "Y", "Crosses", "Yes, a fiber crosses here: count it.", _CANDIDATE,
         lambda c: c.reviewer.accept()),
    Deed("reject", "X", "Does not", "No, nothing crosses here: do not count it.", _CANDIDATE,
         lambda c: c.reviewer.reject()),
    Deed("not_sure", "U", "Not sure", "Leave it as it is, and say that it is not certain.", _CANDIDATE,
         lambda c: c.reviewer.not_sure()),
    Deed("add", "A", "Add", "Add a crossing (blind: a mark) where the pointer is.", _CANDIDATE,
         lambda c: c.add_at_pointer()),
    Deed("move", "M", "Move", "Move it to where the pointer is.", _CANDIDATE, lambda c: c.move_to_pointer()),
    Deed("remove", "Delete", "Remove", "Remove it; an excluded stretch is taken in again.", _CANDIDATE,
         lambda c: c.reviewer.remove()),
    Deed("note", "W", "Note", "Write a remark on it, or on the section.", _CANDIDATE, lambda c: c.note()),
    Deed("exclude", "E", "Exclude", "Leave a stretch out: press at its start, then at its end.", _JUNCTION,
         lambda c: c.stretch_to_pointer(exclude=True)),
    Deed("include", "I", "Take in", "Take a stretch in again: at its start, then at its end.", _JUNCTION,
         lambda c: c.stretch_to_pointer(exclude=False)),
    Deed("redraw", "J", "Redraw", "Draw a stretch anew: clicks that follow the edge; J again to finish.",
         _JUNCTION, lambda c: c.tools.draw()),
    Deed("bend", "D", "Drag", "Show points of the junction to drag; again to hide them.", _JUNCTION,
         lambda c: c.tools.bend()),
    Deed("cancel", "Escape", "Cancel", "Give up what is half done.", _JUNCTION, lambda c: c.tools.forget()),
    Deed("undo", "Control-Z", "Undo", "Take back the last thing done to this section, also of former days.",
         _SECTION, lambda c: c.reviewer.undo()),
    Deed("redo", "Control-Shift-Z", "Redo", "Take back the last undo.", _SECTION,
         lambda c: c.reviewer.redo()),
    Deed("reviewed", "R", "Reviewed", "Everything in this section has been looked at.", _SECTION,
         lambda c: c.reviewer.set_review(ReviewState.REVIEWED)),
    Deed("second_reader", "S", "2nd reader", "Ask for a second reader of this section.", _SECTION,
         lambda c: c.reviewer.set_review(ReviewState.NEEDS_SECOND_READER)),
    Deed("compare", "C", "Compare", "End a blind reading, and show both side by side.", _SECTION,
         lambda c: c.reviewer.compare_readings()),
    Deed("sign", "F8", "Sign", "Sign the biopsy of this section.", _SECTION,
         lambda c: c.asking.sign()),
    Deed("marks", "H", "Hide", "Hide all marks, and show them again.", _VIEW,
         lambda c: c.scene.toggle_marks()),
    Deed("projection", "T", "Stack", "Show the planes of a stack, or its projection.", _VIEW,
         lambda c: c.toggle_projection()),
    Deed("overview", "O", "Whole", "Show the whole section.", _VIEW, lambda c: c.overview()),
    Deed("refresh", "F5", "Refresh", "Read what others have done in the meantime.", _VIEW,
         lambda c: c.reviewer.refresh()),
    Deed("keys", "F1", "Keys", "Show this sheet.", _VIEW, lambda c: c.asking.keys()),
)  # fmt: skip
"""In the order of the cheat sheet."""

_BY_NAME = {one.name: one for one in DEEDS}


def deed(name: str) -> Deed:
    """A deed by its name; raises KeyError for an unknown one."""
    return _BY_NAME[name]
