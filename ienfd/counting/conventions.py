"""The conventions on which laboratories differ, as variants of one rule set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ienfd.protocol import CountingRules

__all__ = ["AS_PROTOCOL", "Convention", "conventions"]

AS_PROTOCOL = "protocol"

_OPTIONS: Mapping[str, tuple[Any, ...]] = {
    "dermal_branch": ("each", "one"),
    "junction_branch": ("one", "two"),
    "reentry": ("collapse", "each"),
    "fragments": ("exclude", "include"),
    "cut_edge_um": (0.0, 50.0, 100.0),
}
_FEWEST: Mapping[str, Any] = {
    "dermal_branch": "one",
    "junction_branch": "one",
    "reentry": "collapse",
    "fragments": "exclude",
}
_MOST: Mapping[str, Any] = {
    "dermal_branch": "each",
    "junction_branch": "two",
    "reentry": "each",
    "fragments": "include",
}


@dataclass(frozen=True)
class Convention:
    """One way to count.

    Parameters
    ----------
    name : str
        `protocol`, the one option that is different from it, or `fewest` or `most`.
    rules : CountingRules
        All choices.
    """

    name: str
    rules: CountingRules


def conventions(rules: CountingRules) -> tuple[Convention, ...]:
    """A laboratory's own rules, each option of them turned to what others do, and both extremes.

    Parameters
    ----------
    rules : CountingRules
        Its own.

    Returns
    -------
    tuple of Convention
        Its own first. `fewest` and `most` take every option about branches, re-entry and fragments the
        way that counts least and most; the ends of the epidermis stay as in `rules`.

    Notes
    -----
    The options are those on which laboratories differ: daughters of a fiber that splits below the
    junction or in it, a fiber that leaves the epidermis and enters again, fragments without a visible
    entry, and the cut ends of the epidermis.
    """
    turned = [
        Convention(f"{option}={value:g}" if isinstance(value, float) else f"{option}={value}", other)
        for option, values in _OPTIONS.items()
        for value in values
        if (other := replace(rules, **{option: value})) != rules
    ]
    extremes = [Convention("fewest", replace(rules, **_FEWEST)), Convention("most", replace(rules, **_MOST))]
    return (Convention(AS_PROTOCOL, rules), *turned, *extremes)
