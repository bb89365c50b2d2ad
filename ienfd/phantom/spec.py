"""Everything that can differ between two phantoms, as one frozen value with units in its names."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

import numpy as np

__all__ = ["Chromogen", "Counterstain", "PhantomSpec", "Planes", "StainKind", "random_spec"]

StainKind = Literal["bright-field", "fluorescence"]
Chromogen = Literal["dab", "vip", "sg"]
Counterstain = Literal["none", "light", "hematoxylin", "hematoxylin-eosin", "eosin"]
Planes = Literal["single", "stack", "projection"]


@dataclass(frozen=True)
class PhantomSpec:
    """One synthetic section: anatomy, nerves, stain and microscope.

    Lengths are in micrometers unless the name says otherwise, angles in degrees, optical densities
    to the base e, light in photons per pixel.

    Parameters
    ----------
    stain : {"bright-field", "fluorescence"}
        Kind of microscopy.
    pixel_size_um : float
        Edge of a pixel.
    length_mm : float
        Length of epidermis along the baseline of the section.
    thickness_um : float
        Thickness of the section.
    rotation_deg : float
        Direction of the epidermis in the image; 0 has the surface at the top.
    bend_deg : float
        Change of that direction from one end of the section to the other.
    pieces : int
        Pieces of tissue (1 or 2).
    open_left, open_right, open_bottom : bool
        Whether the tissue runs out of the image on that side (else it ends on glass).
    dermis_um : float
        Dermis shown below the junction.
    glass_um : float
        Glass shown beyond the tissue.
    epidermis_um, corneum_um : float
        Mean thickness of viable epidermis and of corneum.
    rete_um, rete_period_um : float
        Peak-to-peak depth and mean period of the undulation of the junction.
    rete_lean : float
        How far ridges lean sideways and bulge: 0 upright, 1 overhanging here and there.
    junction_tilt : float
        Standard deviation of the slope of the junction through the depth of the section (um per um).
    flaking : float
        From 0 (compact corneum) to 1 (basket weave with detached flakes).
    density_per_mm : float
        Expected crossings per mm of surface.
    clustering : float
        Standard deviation of the logarithm of the local density of crossings along the junction.
    branching : float
        Fraction of fibers that branch once inside the epidermis.
    splitting : float
        Fraction of crossings that share a dermal parent which splits below the junction.
    plexus_per_mm : float
        Strands of the subepidermal plexus per mm.
    bundles_per_mm, approaching_per_mm, fragments_per_mm, grazing_per_mm, dermal_per_mm : float
        Further nerves per mm: bundles deep in the dermis, fibers that end below the junction, pieces
        inside the epidermis without entry, fibers running along the junction, others in the dermis.
    langerhans_per_mm2, melanocytes_per_mm : float
        Stained dendritic cells per mm2 of epidermis and stained melanocytes per mm of junction.
    melanocyte_signal : float
        Brightness of melanocytes relative to fibers.
    elastin_per_mm, mast_cells_per_mm, vessels_per_mm, adnexa_per_mm, clefts_per_mm, dirt_per_mm : float
        Other things per mm of section: elastic fibers, granular cells, vessels, follicles and sweat ducts
        cut across (islands of epithelium in the dermis), clefts, dust.
    collagen_contrast : float
        From 0 (an even dermis) to 1 (bundles with dark gaps).
    edge_softness_um : float
        Blur of the border between epidermis and dermis.
    caliber_um : float
        Mean apparent caliber of epidermal fibers.
    beading : float
        From 0 (even fibers) to 1 (segments between varicosities nearly invisible).
    tortuosity : float
        Standard deviation of the heading of epidermal fibers in radians.
    planes : {"single", "stack", "projection"}
        What the file holds of the depth of the section.
    z_step_um : float
        Distance between the planes of a stack.
    numerical_aperture : float
        Of the objective; sets resolution and depth of field.
    confocal : bool
        Whether light from out of focus is rejected (fluorescence).
    bits : int
        Significant bits of a fluorescence image: 8, 12 or 16.
    fiber_photons, background_photons : float
        Peak of a typical fiber above the background, and the background of the dermis.
    epidermis_gain, corneum_gain : float
        Background of epidermis and corneum relative to that of the dermis.
    dim_to_plexus : float
        Brightness of epidermal fibers relative to the plexus.
    nuclear_signal : float
        Nerve stain in nuclei of the epidermis relative to its background; negative where they stay dark.
    read_noise_photons : float
        Standard deviation of the noise of the camera.
    defocus_um : float
        Blur of the whole image by poor focus or optics.
    edge_effect : float
        Relative rise of diffuse staining towards the rim of the tissue.
    shading : float
        Relative fall-off of light across a field.
    folds : int
        Folds across the section; in each a flap of it lies turned over on its neighbor.
    fold_um : float
        Mean width of a fold.
    stitching : float
        Relative steps between the fields of a mosaic; 0 for none.
    basement_membrane_channel, nuclei_channel : bool
        Extra channels (fluorescence).
    chromogen : {"dab", "vip", "sg"}
        Bright-field nerve stain: brown, purple, blue-grey.
    counterstain : str
        `none`, `light`, `hematoxylin`, `hematoxylin-eosin` or `eosin`.
    fiber_od : float
        Optical density of a typical fiber.
    background_od : float
        Diffuse chromogen in the tissue.
    dermis_od : float
        How strongly the dermis takes up stain relative to the epidermis (small: a pale dermis).
    melanin_od : float
        Pigment of the basal layer.
    white : (float, float, float)
        Red, green, blue of empty glass.
    chromogen_seed : int
        Varies the color of the chromogen about its mean.
    jpeg_quality : int
        0 for none, else the quality of the compression the image went through.
    """

    stain: StainKind = "bright-field"
    pixel_size_um: float = 0.32
    length_mm: float = 1.2
    thickness_um: float = 50.0
    rotation_deg: float = 0.0
    bend_deg: float = 10.0
    pieces: int = 1
    open_left: bool = True
    open_right: bool = True
    open_bottom: bool = True
    dermis_um: float = 260.0
    glass_um: float = 60.0
    epidermis_um: float = 68.0
    corneum_um: float = 14.0
    rete_um: float = 30.0
    rete_period_um: float = 100.0
    rete_lean: float = 0.3
    junction_tilt: float = 0.08
    flaking: float = 0.4
    density_per_mm: float = 8.0
    clustering: float = 0.6
    branching: float = 0.3
    splitting: float = 0.15
    plexus_per_mm: float = 9.0
    bundles_per_mm: float = 1.0
    approaching_per_mm: float = 3.0
    fragments_per_mm: float = 3.0
    grazing_per_mm: float = 3.0
    dermal_per_mm: float = 6.0
    langerhans_per_mm2: float = 334.0
    melanocytes_per_mm: float = 12.0
    melanocyte_signal: float = 0.3
    elastin_per_mm: float = 15.0
    mast_cells_per_mm: float = 3.0
    vessels_per_mm: float = 2.0
    adnexa_per_mm: float = 0.2
    clefts_per_mm: float = 2.0
    dirt_per_mm: float = 2.0
    collagen_contrast: float = 0.5
    edge_softness_um: float = 0.8
    caliber_um: float = 0.9
    beading: float = 0.6
    tortuosity: float = 0.45
    planes: Planes = "projection"
    z_step_um: float = 2.0
    numerical_aperture: float = 0.75
    confocal: bool = True
    bits: int = 8
    fiber_photons: float = 90.0
    background_photons: float = 14.0
    epidermis_gain: float = 1.8
    corneum_gain: float = 4.0
    dim_to_plexus: float = 0.7
    nuclear_signal: float = -0.3
    read_noise_photons: float = 2.0
    defocus_um: float = 0.0
    edge_effect: float = 0.1
    shading: float = 0.15
    folds: int = 0
    fold_um: float = 40.0
    stitching: float = 0.0
    basement_membrane_channel: bool = False
    nuclei_channel: bool = False
    chromogen: Chromogen = "dab"
    counterstain: Counterstain = "hematoxylin"
    fiber_od: float = 1.0
    background_od: float = 0.08
    dermis_od: float = 0.6
    melanin_od: float = 0.15
    white: tuple[float, float, float] = (240.0, 238.0, 235.0)
    chromogen_seed: int = 0
    jpeg_quality: int = 0

    def __post_init__(self) -> None:
        if self.pieces not in (1, 2):
            raise ValueError(f"pieces must be 1 or 2, not {self.pieces}")
        if self.bits not in (8, 12, 16):
            raise ValueError(f"bits must be 8, 12 or 16, not {self.bits}")
        for name in ("pixel_size_um", "length_mm", "thickness_um", "dermis_um", "epidermis_um", "z_step_um"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive, not {getattr(self, name)}")
        for item in fields(self):
            if item.name.endswith(("_per_mm", "_per_mm2")) and getattr(self, item.name) < 0:
                raise ValueError(f"{item.name} must not be negative, not {getattr(self, item.name)}")


def random_spec(rng: np.random.Generator, stain: StainKind | None = None) -> PhantomSpec:
    """Draw a section from the design ranges (reference figures for human distal leg skin).

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness; the same state gives the same spec.
    stain : {"bright-field", "fluorescence"}, optional
        Fixes the stain; drawn when not given.
    """

    def uniform(low: float, high: float, digits: int = 3) -> float:
        return round(float(rng.uniform(low, high)), digits)

    def chance(probability: float) -> bool:
        return bool(rng.random() < probability)

    if stain is None:
        stain = "bright-field" if chance(0.5) else "fluorescence"
    thickness = float(rng.choice([50.0, 50.0, 50.0, 50.0, 10.0, 5.0]))
    planes: Planes = "single"
    if thickness > 20:
        stack = chance(0.3 if stain == "fluorescence" else 0.12)
        planes = "stack" if stack else "projection"
    pixel = float(rng.choice([0.16, 0.22, 0.25, 0.32, 0.32, 0.4, 0.5, 0.64]))
    if planes == "stack":
        pixel = max(pixel, 0.32)
    longest = 0.8 if planes == "stack" or pixel < 0.2 else 1.4
    rotation = uniform(-12, 12) if chance(0.55) else uniform(0, 360)
    if chance(0.2):
        rotation = (rotation + float(rng.choice([90, 180, 270]))) % 360
    counterstain: Counterstain = str(  # type: ignore[assignment]
        rng.choice(["none", "light", "hematoxylin", "hematoxylin", "hematoxylin-eosin", "eosin"])
    )
    white_level = uniform(225, 250, 1)
    cast = rng.uniform(-9, 4, 3)
    dermal_brighter = chance(0.35)
    return PhantomSpec(
        stain=stain,
        pixel_size_um=pixel,
        length_mm=uniform(0.6, longest),
        thickness_um=thickness,
        rotation_deg=rotation,
        bend_deg=uniform(-35, 35) if chance(0.7) else uniform(-80, 80),
        pieces=2 if chance(0.12) else 1,
        open_left=chance(0.5),
        open_right=chance(0.5),
        open_bottom=chance(0.7),
        dermis_um=uniform(130, 380),
        glass_um=uniform(15, 120),
        epidermis_um=uniform(57, 82),
        corneum_um=uniform(11, 18),
        rete_um=uniform(10, 50),
        rete_period_um=uniform(60, 150),
        rete_lean=uniform(0, 1),
        junction_tilt=uniform(0.0, 0.16),
        flaking=uniform(0, 1),
        density_per_mm=0.0 if chance(0.06) else uniform(0.3, 20) if chance(0.4) else uniform(1, 11),
        clustering=uniform(0.2, 1.0),
        branching=uniform(0.2, 0.4),
        splitting=uniform(0.0, 0.3),
        plexus_per_mm=uniform(3, 14),
        bundles_per_mm=uniform(0, 2.5),
        approaching_per_mm=uniform(0, 6),
        fragments_per_mm=uniform(0, 6),
        grazing_per_mm=uniform(0, 5),
        dermal_per_mm=uniform(1, 10),
        langerhans_per_mm2=0.0 if chance(0.15) else uniform(80, 484),
        melanocytes_per_mm=uniform(0, 30),
        melanocyte_signal=uniform(0.0, 0.6),
        elastin_per_mm=uniform(0, 60),
        mast_cells_per_mm=uniform(0, 8),
        vessels_per_mm=uniform(0, 5),
        adnexa_per_mm=uniform(0.2, 1.5) if chance(0.4) else 0.0,
        clefts_per_mm=uniform(0, 8),
        dirt_per_mm=uniform(0, 8),
        collagen_contrast=uniform(0.1, 0.9),
        edge_softness_um=uniform(0.3, 2.0),
        caliber_um=uniform(0.6, 1.3),
        beading=uniform(0.25, 0.85),
        tortuosity=uniform(0.25, 0.7),
        planes=planes,
        z_step_um=float(rng.choice([1.0, 1.5, 2.0, 3.0])) if pixel > 0.4 else float(rng.choice([2.0, 3.0])),
        numerical_aperture=float(rng.choice([0.5, 0.75, 0.8])) if pixel > 0.3 else 0.8,
        confocal=chance(0.6),
        bits=int(rng.choice([8, 8, 12, 16])),
        fiber_photons=round(float(np.exp(rng.uniform(np.log(22), np.log(260)))), 2),
        background_photons=uniform(4, 30),
        epidermis_gain=uniform(0.35, 0.8) if dermal_brighter else uniform(1.2, 3.0),
        corneum_gain=uniform(1.0, 8.0),
        dim_to_plexus=uniform(0.45, 1.0),
        nuclear_signal=uniform(-0.5, 0.0) if chance(0.75) else uniform(0.0, 0.7),
        read_noise_photons=uniform(1, 4),
        defocus_um=uniform(0.1, 0.5) if chance(0.3) else 0.0,
        edge_effect=uniform(0.0, 0.6) if chance(0.5) else 0.0,
        shading=uniform(0.10, 0.30),
        stitching=uniform(0.01, 0.06) if chance(0.25) else 0.0,
        basement_membrane_channel=chance(0.4),
        nuclei_channel=chance(0.4),
        chromogen=str(rng.choice(["dab", "dab", "dab", "vip", "sg"])),  # type: ignore[arg-type]
        counterstain=counterstain,
        fiber_od=uniform(0.45, 1.6),
        background_od=uniform(0.02, 0.22),
        dermis_od=uniform(0.25, 1.1),
        melanin_od=uniform(0.0, 0.5) if chance(0.5) else 0.0,
        white=tuple(round(float(np.clip(white_level + c, 205, 253)), 1) for c in cast),  # type: ignore[arg-type]
        chromogen_seed=int(rng.integers(1, 10_000)),
        jpeg_quality=int(rng.integers(70, 96)) if chance(0.5) else 0,
    )
