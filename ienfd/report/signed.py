"""What a signature keeps of a call: what the norms said, and what was validated, when it was made."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ienfd.figures import BiopsyCall
from ienfd.norms import Norm
from ienfd.protocol import Protocol
from ienfd.study.signing import SignOff
from ienfd.study.validated import Validated

__all__ = ["norms_then", "says_the_same", "validated_then"]


def norms_then(signature: SignOff | None, protocol: Protocol, norms: Sequence[Norm]) -> tuple[Norm, ...]:
    """The norms that a biopsy is compared with: none that the study came to know after it was signed.

    Parameters
    ----------
    signature : SignOff or None
        The one that holds, if any.
    protocol : Protocol
        By which it is called.
    norms : sequence of Norm
        Those that the study knows now.
    """
    if signature is None:
        return tuple(norms)
    call = _call(signature)
    named = {protocol.call.norm_bright_field, protocol.call.norm_fluorescence}
    named |= {str(other).partition("=")[0] for other in call.get("other_norms", ())}
    return tuple(norm for norm in norms if norm.entered is None or norm.id in named)


def validated_then(signature: SignOff) -> tuple[Validated | None, bool]:
    """What had been validated when a biopsy was signed, and whether it was analyzed otherwise."""
    kept = json.loads(signature.content).get("validated")
    return Validated(**kept) if kept else None, "not_validated" in _call(signature).get("flags", ())


def says_the_same(signature: SignOff, call: BiopsyCall) -> bool:
    """Whether the norm of a call still gives the limit that was signed."""
    signed = _call(signature)
    now = {"norm_id": call.norm_id, "norm_limit_per_mm": call.norm_limit_per_mm}
    return all(signed.get(name, value) == value for name, value in now.items())


def _call(signature: SignOff) -> Mapping[str, Any]:
    return dict(json.loads(signature.content).get("call", {}))
