"""Layers to light: fluorescence channels in counts, bright-field as transmitted RGB."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from .textures import blur, cloud
from .tissue import Layers

__all__ = ["BRIGHT_FIELD", "FLUORESCENCE", "bright_field", "fluorescence"]

FLUORESCENCE = ("fl-pgp", "fl-pgp-col4", "fl-pgp-dapi", "fl-pgp-col4-dapi")
BRIGHT_FIELD = (
    "bf-dab",
    "bf-dab-hematoxylin",
    "bf-dab-methylgreen",
    "bf-dab-hematoxylin-eosin",
    "bf-vip",
    "bf-vip-methylgreen",
    "bf-sg",
    "bf-sg-fastred",
    "bf-aec-hematoxylin",
)

_VECTORS = {  # optical density in red, green, blue
    "dab": (0.27, 0.57, 0.78),
    "vip": (0.46, 0.80, 0.38),
    "sg": (0.72, 0.56, 0.41),
    "aec": (0.25, 0.79, 0.56),
    "hematoxylin": (0.65, 0.70, 0.29),
    "eosin": (0.07, 0.99, 0.11),
    "methylgreen": (0.88, 0.38, 0.29),
    "fastred": (0.21, 0.85, 0.48),
    "melanin": (0.44, 0.56, 0.70),
}


def fluorescence(
    rng: np.random.Generator, layers: Layers, family: str, pixel_um: float
) -> tuple[list[np.ndarray], list[str]]:
    """Photons per channel (nerve background about 1) and channel names."""
    shape = layers.nerve.shape
    l = layers  # noqa: E741
    slow = 1 + 0.12 * cloud(rng, shape, 90 / pixel_um)
    contrast = rng.uniform(1.0, 3.2)
    # 1.2 is the dermis just below the junction; a difference that the eye finds, in either direction
    share = rng.uniform(0.6, 0.88) if rng.random() < 0.5 else rng.uniform(1.12, 1.5)
    epidermis = 1.2 * share
    gain = rng.uniform(0.06, 0.2)
    cleft = 1 - rng.uniform(0.1, 0.8) * np.clip(-l.collagen - 0.35, 0, 1)
    weave = l.collagen + 0.25 * cloud(rng, shape, 0.6 / pixel_um)
    texture = l.dermis * cleft * (1 + gain * 1.3 * weave) * (1 + 0.4 * np.exp(l.junction_um / 80) - 0.2)
    border = float(rng.choice([-1.0, 1.0], p=[0.7, 0.3]) * rng.uniform(0.05, 0.2))
    cells = l.epidermis * epidermis * (1 + border * l.membrane + gain * 0.6 * l.cell)
    nucleus = 1 - rng.uniform(0.0, 0.35) * np.clip(l.nuclei, 0, 1)
    body = (texture + cells * (1 + 0.35 * l.granular)) * nucleus
    glow = float(rng.choice([rng.uniform(0.7, 1.3), rng.uniform(1.5, 4.0)]))
    body += l.corneum * glow * l.keratin + l.debris * 0.9
    body += rng.uniform(0.05, 0.5) * contrast * l.elastin + l.duct * rng.uniform(-0.1, 0.5) - 0.5 * l.lumen
    body += rng.uniform(0.5, 3.0) * l.shaft
    haze = blur(l.nerve, 7 / pixel_um)
    nerve = np.clip(body, 0, None) * slow + contrast * (l.nerve + rng.uniform(0, 0.6) * haze)
    nerve = np.tanh(nerve / 9.0) * 9.0 + rng.uniform(0.03, 0.15)
    channels, names = [nerve], [str(rng.choice(["PGP9.5", "PGP 9.5", "UCHL1-Cy3", "PGP95 Alexa 488"]))]
    if "col4" in family:
        width = rng.uniform(0.6, 1.3)
        sheet = np.exp(-((np.abs(l.junction_um) / width) ** 1.5)) * np.clip(
            1 + 0.35 * cloud(rng, shape, 8 / pixel_um), 0.1, 2
        )
        vessels = np.clip(cloud(rng, shape, 9 / pixel_um), -2, 2)
        ring = np.exp(-(((vessels - 1.5) / 0.12) ** 2)) * l.dermis * (l.junction_um < -14)
        sheet *= np.clip(l.epidermis + l.dermis, 0, 1)
        col4 = 3.5 * sheet + 1.8 * ring + 0.6 * l.dermis * (1 + 0.2 * l.collagen) + 0.35 * l.epidermis
        channels.append(gaussian_filter(col4 + 0.5 * l.corneum * l.keratin + 0.05, 0.4 / pixel_um))
        names.append(str(rng.choice(["Collagen IV", "COL4", "Col IV-Cy5"])))
    if "dapi" in family:
        channels.append(3.0 * l.nuclei + 0.3 * (l.epidermis + l.dermis) + 0.5 * l.corneum * l.keratin + 0.05)
        names.append(str(rng.choice(["DAPI", "Hoechst 33342"])))
    return [np.maximum(c, 0).astype(np.float32) for c in channels], names


def bright_field(rng: np.random.Generator, layers: Layers, family: str, pixel_um: float) -> np.ndarray:
    """(H, W, 3) transmittance of a stained section on glass, 0..1."""
    shape = layers.nerve.shape
    l = layers  # noqa: E741
    chromogen, *counter = family.split("-")[1:]
    amounts: dict[str, np.ndarray] = {}
    slow = 1 + 0.1 * cloud(rng, shape, 100 / pixel_um)
    tint = rng.uniform(0.04, 0.16)
    ratio = float(rng.choice([rng.uniform(1.2, 2.2), rng.uniform(0.5, 0.85)], p=[0.75, 0.25]))
    if not counter:  # nothing else shows the junction: R7 would reject what cannot be seen
        tint = max(tint, 0.035 / abs(ratio - 1))
    contrast = rng.uniform(0.42, 1.0)
    cleft = 1 - rng.uniform(0.1, 0.8) * np.clip(-l.collagen - 0.35, 0, 1)
    weave = l.collagen + 0.25 * cloud(rng, shape, 0.6 / pixel_um)
    dermis = l.dermis * cleft * (1 + rng.uniform(0.15, 0.4) * weave)
    pale = rng.uniform(0.2, 0.6)
    cells = l.epidermis * ratio * (1 - pale * l.membrane + 0.1 * l.cell + 0.6 * l.granular)
    shade = float(rng.choice([-0.3, 0.25])) * np.clip(l.nuclei, 0, 1)
    ground = np.clip((dermis + cells) * (1 + shade) + 0.5 * l.duct - l.lumen, 0, None) * tint * slow
    ground += tint * (l.corneum * l.keratin * rng.uniform(0.5, 2.5) + l.debris + rng.uniform(0, 4) * l.shaft)
    fibers = contrast * (l.nerve + 0.3 * blur(l.nerve, 4 / pixel_um))
    amounts[chromogen] = ground + np.tanh(fibers / 1.6) * 1.6
    solid = np.clip(l.epidermis + l.dermis, 0, 1)
    if "hematoxylin" in counter:
        strength = rng.uniform(0.2, 0.75)
        amounts["hematoxylin"] = strength * (
            l.nuclei + 0.12 * l.epidermis + 0.04 * l.dermis + 0.3 * l.granular
        )
    if "methylgreen" in counter:
        amounts["methylgreen"] = rng.uniform(0.15, 0.5) * (l.nuclei + 0.15 * l.epidermis + 0.1 * l.dermis)
    if "fastred" in counter:
        amounts["fastred"] = rng.uniform(0.2, 0.5) * (l.nuclei + 0.3 * l.epidermis + 0.15 * l.dermis)
    if "eosin" in counter:
        pink = 0.7 * dermis + 0.5 * l.epidermis * (1 - 0.3 * l.membrane) + l.corneum * l.keratin
        amounts["eosin"] = rng.uniform(0.1, 0.35) * np.clip(pink, 0, None)
    pigment = float(rng.choice([0.0, rng.uniform(0.03, 0.15), rng.uniform(0.15, 0.4)], p=[0.5, 0.35, 0.15]))
    if pigment:
        caps = np.clip(
            0.7 * cloud(rng, shape, 0.45 / pixel_um) + 0.7 * cloud(rng, shape, 2.5 / pixel_um) + 0.2, 0, 2
        )
        amounts["melanin"] = pigment * l.basal * caps
    od = np.zeros((*shape, 3), np.float32)
    for name, amount in amounts.items():
        vector = np.array(_VECTORS[name]) * np.exp(rng.normal(0, 0.06, 3))
        od += np.clip(amount, 0, None)[..., None] * (vector / np.linalg.norm(vector)).astype(np.float32)
    scatter = (
        rng.uniform(0.01, 0.05) * (solid + 0.5 * l.corneum)
        + 0.04 * l.dermis * np.clip(l.collagen, 0, 2) * 0.5
    )
    od += scatter[..., None].astype(np.float32)
    return np.exp(np.float32(-np.log(10.0)) * od)
