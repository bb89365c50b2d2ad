"""Every choice a laboratory makes, in one frozen, hashed value.

The built-in protocol `efns2010` is `Protocol()`: the defaults below are the complete list of it.
`image` changes pixels or geometry and so is part of the `analysis_key`; everything else only
re-counts or re-calls. A laboratory's own protocol is a TOML file that names what differs.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any, ClassVar, Literal

from ienfd.errors import UsageError

__all__ = [
    "CallRules",
    "ConfidenceModel",
    "CountingRules",
    "DensityRules",
    "ImageChoices",
    "LengthLine",
    "Protocol",
    "QualityBounds",
    "Stain",
    "canonical_json",
    "load_protocol",
    "protocol_from_json",
]

Stain = Literal["bright-field", "fluorescence"]
LengthLine = Literal["surface", "junction", "chord"]

_FORBID_UNKNOWN: Mapping[str, Any] = {"extra": "forbid"}  # read by pydantic when a file is validated


@dataclass(frozen=True)
class ImageChoices:
    """Choices that change pixels or geometry.

    Parameters
    ----------
    stain : {"auto", "bright-field", "fluorescence"}
        How the section was stained; `auto` recognizes it from the image.
    counterstain : {"auto", "none"}
        Whether a bright-field section may hold one. Lines with the color of a counterstain are held to be
        nuclei or collagen, and a section with none but those is refused; `none` says that nothing but the
        nerves was stained, so that blue-grey ones are nerves.
    nerve_names, basement_membrane_names, nuclei_names : tuple of str
        Channel names, compared without case, blanks and punctuation; a name matches when it contains one.
    nerve_channel, basement_membrane_channel, nuclei_channel : int or None
        0-based position of the channel, where its name does not tell; overrides the names.
    fiber_scales_um : tuple of float
        Standard deviations of the ridge detector in micrometers.
    fiber_contrast : float
        Contrast, in units of local noise, that a fiber must reach somewhere.
    fiber_contrast_low : float
        Contrast down to which a fiber is followed from there.
    max_gap_um : float
        Longest gap that is bridged between two pieces that line up; dark nuclei may hide more of a fiber.
    min_fiber_length_um : float
        Shorter traces are dropped.
    junction_by : {"network", "section"}
        Who draws the junction last: a network that learned from synthetic sections what junctions look like,
        by what this section tells about it, or what the section tells alone.
    fibers_by : {"network", "section"}
        Who says which lines are nerves: what the filters measure, weighed by a network that learned from
        synthetic sections what nerves look like, or what the filters measure alone.
    junction_confidence_min : float
        Stretches of the junction below this confidence are excluded.
    """

    stain: Literal["auto", "bright-field", "fluorescence"] = "auto"
    counterstain: Literal["auto", "none"] = "auto"
    nerve_names: tuple[str, ...] = ("pgp9.5", "pgp95", "pgp", "uchl1", "protein gene product", "nerve")
    basement_membrane_names: tuple[str, ...] = (
        "collagen iv", "collagen4", "coliv", "col4", "laminin", "basement membrane",
    )  # fmt: skip
    nuclei_names: tuple[str, ...] = ("dapi", "hoechst", "draq5", "to-pro", "nuclei", "dna")
    nerve_channel: int | None = None
    basement_membrane_channel: int | None = None
    nuclei_channel: int | None = None
    fiber_scales_um: tuple[float, ...] = (0.5, 0.8)
    fiber_contrast: float = 6.0
    fiber_contrast_low: float = 4.0
    max_gap_um: float = 8.0
    min_fiber_length_um: float = 6.0
    junction_by: Literal["network", "section"] = "network"
    fibers_by: Literal["network", "section"] = "network"
    junction_confidence_min: float = 0.3

    __pydantic_config__: ClassVar[Mapping[str, Any]] = _FORBID_UNKNOWN


@dataclass(frozen=True)
class ConfidenceModel:
    """How sure it is that a candidate is a crossing: a logistic regression on what is seen of it.

    A candidate of reference has a contrast of 8 (in units of noise), the same on both sides, goes 10 um away
    from the junction on both, and has a caliber of 2.2 um as it appears and a junction of confidence 0.8.
    The built-in one was learned from candidates of two independent generators, as the program finds them,
    sections without any nerve among them (ten-fold over sections the mean log-loss is 0.15); what a hidden
    stretch takes off, and how sure the others then are, from 1,749 candidates of 180 sections (five-fold,
    0.193 for 0.201 without). Since a network weighs the lines, hardly a wrong candidate is left, and its
    intercept was fitted again, to -0.3: of 1,216 that it counts in 204 fresh sections 1,189 are right, and 8
    of those that it does not count. On the images of four further generators, of which it had seen none (866
    candidates), it was too modest by 1.2, since nerves there look less like what the network knows: of 22
    candidates between 0.35 and 0.5, 17 are right. 0.2 lies between, where all of them together are likelier.

    Parameters
    ----------
    learned_from : str
        Whose decisions it was learned from; `ienfd train` writes this.
    intercept : float
        Logit of the candidate of reference.
    per_log_contrast : float
        Added per natural logarithm of the contrast on the fainter side.
    per_log_fainter : float
        Added besides, per natural logarithm of a contrast that is below the faintest traced.
    per_um_away_epidermis, per_um_away_dermis : float
        Added per micrometer that it gets away from the junction on that side, up to 15.
    per_caliber_um : float
        Added per micrometer of the mean caliber of both sides.
    per_junction_confidence : float
        Added per confidence of the junction there.
    per_log_clearer_above : float
        Added per natural logarithm of the contrast above by that below, where it is clearer above: a fiber
        goes on as it comes, while the process of a cell ends, or seems to go on in collagen.
    per_um_hidden : float
        Added per micrometer, up to 20, that it is not seen next to the junction.
    """

    learned_from: str = "synthetic sections"
    intercept: float = 0.2
    per_log_contrast: float = 0.2
    per_log_fainter: float = 5.1
    per_um_away_epidermis: float = 0.31
    per_um_away_dermis: float = 0.3
    per_caliber_um: float = -2.27
    per_junction_confidence: float = 5.0
    per_log_clearer_above: float = -1.75
    per_um_hidden: float = -0.27

    __pydantic_config__: ClassVar[Mapping[str, Any]] = _FORBID_UNKNOWN


@dataclass(frozen=True)
class CountingRules:
    """The rule set: what counts as one crossing (EFNS/PNS 2010, rules R1-R4).

    Parameters
    ----------
    dermal_branch : {"each", "one"}
        A fiber that splits below the junction, both daughters crossing: each crossing counts, or one.
    junction_branch : {"one", "two"}
        A fiber that splits within the junction band. Two that come out of the dermis apart are two, also
        where they lie upon each other on the line (`ienfd.counting.forks`).
    junction_band_um : float
        Half-width of that band about the junction, in micrometers.
    fragments : {"exclude", "include"}
        Pieces inside the epidermis without visible entry.
    reentry : {"collapse", "each"}
        One fiber that leaves the epidermis and comes back.
    min_reach_um : float
        Length over which a fragment, a fiber that approaches, or an arm of a fork must be seen.
    min_entry_um : float
        Length over which a fiber that crosses must be seen on each side of the junction. It is short: nuclei
        soon hide many a fiber, and the confidence knows how far it is seen.
    approach_um : float
        A fiber that ends below the junction within this distance is listed as approaching.
    min_confidence : float
        Candidates below this confidence are excluded as too faint.
    cut_edge_um : float
        Length left out at each cut end of the epidermis.
    confidence : ConfidenceModel
        How sure a candidate is.
    """

    dermal_branch: Literal["each", "one"] = "each"
    junction_branch: Literal["one", "two"] = "one"
    junction_band_um: float = 3.0
    fragments: Literal["exclude", "include"] = "exclude"
    reentry: Literal["collapse", "each"] = "collapse"
    min_reach_um: float = 4.0
    min_entry_um: float = 1.0
    approach_um: float = 10.0
    min_confidence: float = 0.5
    cut_edge_um: float = 0.0
    confidence: ConfidenceModel = field(default_factory=ConfidenceModel)

    __pydantic_config__: ClassVar[Mapping[str, Any]] = _FORBID_UNKNOWN


@dataclass(frozen=True)
class DensityRules:
    """The line whose millimeters the density is given in, and the level of its interval.

    Parameters
    ----------
    length_line : {"surface", "junction", "chord"}
        The boundary of viable epidermis and corneum, the dermal-epidermal junction, or the surface smoothed
        at 200 um. A norm holds for its own line only.
    interval_level : float
        Level of the interval of a density, between 0 and 1.
    """

    length_line: LengthLine = "surface"
    interval_level: float = 0.95

    __pydantic_config__: ClassVar[Mapping[str, Any]] = _FORBID_UNKNOWN

    def __post_init__(self) -> None:
        if not 0 < self.interval_level < 1:
            raise ValueError(f"interval_level lies between 0 and 1, not at {self.interval_level}")


@dataclass(frozen=True)
class CallRules:
    """When and against which norm a biopsy is called, and how sure its density is.

    Parameters
    ----------
    norm_bright_field, norm_fluorescence : str
        Id of the norm for each stain; empty for none.
    min_sections : int
        Evaluable sections below which the call is withheld (R5: at least three).
    min_total_length_mm : float
        Evaluable epidermis in all, on the length line, below which the call is withheld.
    overdispersion : float
        Variance of a biopsy's count by its mean, 1 or more, toward which that of its own sections is drawn;
        1 is chance alone. It concerns the interval of the pooled density only: that of a section is Poisson.
    overdispersion_weight : float
        Degrees of freedom that it counts for, 0 or more, beside the sections less one; 0 leaves it to the
        sections. With both defaults the interval covers as asked for in `benchmarks.coverage`.
    """

    norm_bright_field: str = "collongues2018"
    norm_fluorescence: str = "bursova2012"
    min_sections: int = 3
    min_total_length_mm: float = 3.0
    overdispersion: float = 2.0
    overdispersion_weight: float = 3.0

    __pydantic_config__: ClassVar[Mapping[str, Any]] = _FORBID_UNKNOWN

    def __post_init__(self) -> None:
        if not (isfinite(self.overdispersion) and self.overdispersion >= 1):
            raise ValueError(f"overdispersion is 1 or more, not {self.overdispersion}")
        if not (isfinite(self.overdispersion_weight) and self.overdispersion_weight >= 0):
            raise ValueError(f"overdispersion_weight is 0 or more, not {self.overdispersion_weight}")


@dataclass(frozen=True)
class QualityBounds:
    """Bounds of the quality checks: what is beyond one is refused or flagged, and stands in `sections.csv`.

    Parameters
    ----------
    min_pixel_size_um, max_pixel_size_um : float
        Range in which a stated pixel size is believed.
    max_fiber_pixel_um : float
        Coarser images are refused: a fiber of 1 um would be less than a pixel.
    max_saturated_fraction : float
        Fraction of saturated tissue pixels above which a section is refused.
    max_excluded_fraction : float
        Fraction of the length that may be lost to an uncertain junction before the section is refused.
    min_mean_junction_confidence, sure_mean_junction_confidence : float
        Mean confidence of the junction, about the share of it that lies within 5 um, below which a section
        is refused, and flagged as doubtful. A piece below the first is left out beside surer ones.
    partly_saturated_fraction : float
        Fraction of saturated tissue pixels above which a section is flagged.
    soft_fiber_width_um, max_fiber_width_um : float
        Apparent caliber of the thinner fibers above which a section is flagged as soft, and refused as out
        of focus.
    soft_detail_ratio, min_detail_ratio : float
        Contrast at 1 um by contrast at 4 um below which it is flagged as soft, and refused.
    max_noise_ratio : float
        Noise of a pixel by the height of a clear fiber above which it is flagged.
    min_nerve_density, min_nerve_light : float
        Height of a clear fiber, as optical density in bright-field and as a share of the light round about
        in fluorescence, below which the stain is flagged as weak.
    min_clear_fibers_um_per_mm, weak_clear_fibers_um_per_mm : float
        Clear fibers, dermis included, per mm of junction below which a section is refused as not stained, and
        flagged as weakly stained.
    max_fold_fraction : float
        Fraction of the surface at which tissue lies double, above which a section is flagged.
    max_epidermis_um : float
        Median thickness of the epidermis above which a section is flagged as cut obliquely.
    max_unread_fraction : float
        Fraction of what seems to be surface along which no epidermis was found, above which a section is
        flagged.
    """

    min_pixel_size_um: float = 0.05
    max_pixel_size_um: float = 2.5
    max_fiber_pixel_um: float = 1.0
    max_saturated_fraction: float = 0.25
    max_excluded_fraction: float = 0.6
    min_mean_junction_confidence: float = 0.65
    sure_mean_junction_confidence: float = 0.8
    partly_saturated_fraction: float = 0.05
    soft_fiber_width_um: float = 2.6
    max_fiber_width_um: float = 4.5
    soft_detail_ratio: float = 0.42
    min_detail_ratio: float = 0.22
    max_noise_ratio: float = 0.3
    min_nerve_density: float = 0.1
    min_nerve_light: float = 0.15
    min_clear_fibers_um_per_mm: float = 150.0
    weak_clear_fibers_um_per_mm: float = 500.0
    max_fold_fraction: float = 0.015
    max_epidermis_um: float = 130.0
    max_unread_fraction: float = 0.15

    __pydantic_config__: ClassVar[Mapping[str, Any]] = _FORBID_UNKNOWN


@dataclass(frozen=True)
class Protocol:
    """All choices together; `Protocol()` is the built-in `efns2010`.

    Parameters
    ----------
    id : str
        Name of the protocol, which every table and report shows beside its hash. The hash leaves it out.
    image, counting, density, call, quality : dataclass
        The choices.
    """

    id: str = "efns2010"
    image: ImageChoices = field(default_factory=ImageChoices)
    counting: CountingRules = field(default_factory=CountingRules)
    density: DensityRules = field(default_factory=DensityRules)
    call: CallRules = field(default_factory=CallRules)
    quality: QualityBounds = field(default_factory=QualityBounds)

    __pydantic_config__: ClassVar[Mapping[str, Any]] = _FORBID_UNKNOWN

    @property
    def hash(self) -> str:
        """SHA-256 of the resolved values; the protocol's id is a name and left out."""
        values = asdict(self)
        del values["id"]
        return hashlib.sha256(canonical_json(values).encode()).hexdigest()


def canonical_json(value: object) -> str:
    """One text for one value: sorted keys, no blanks, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def load_protocol(path: Path) -> Protocol:
    """Read a protocol file; what it does not name keeps the value of `efns2010`.

    Raises
    ------
    UsageError
        If the file is no TOML, names something unknown (a norm, too), or holds a value of the wrong type.
    """
    from pydantic import TypeAdapter, ValidationError

    from ienfd.norms.laboratory import find

    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        protocol = TypeAdapter(Protocol).validate_python({"id": path.stem, **values})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError("protocol_invalid", f"{path}: {error}") from error
    except ValidationError as error:
        lines = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise UsageError("protocol_invalid", f"{path}: {lines}") from error
    for norm_id in filter(None, (protocol.call.norm_bright_field, protocol.call.norm_fluorescence)):
        find(norm_id)  # better now than when every section has been analyzed
    return protocol


def protocol_from_json(text: str) -> Protocol:
    """The protocol whose resolved values a study has stored.

    Raises
    ------
    UsageError
        If it was written by a version that knew other choices.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(Protocol).validate_json(text)
    except ValidationError as error:
        raise UsageError("protocol_invalid", f"stored in the study: {error.errors()[0]['msg']}") from error
