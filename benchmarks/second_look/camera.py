"""Microscope and camera: shading, stitched fields, noise, banding, sharpening, JPEG, bits."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from .textures import cloud

__all__ = ["expose_bright_field", "expose_fluorescence"]


def _fields(rng: np.random.Generator, shape: tuple[int, int], depth: float) -> np.ndarray:
    """Gain of stitched fields, each with the same shading and its own small step; (H, W) about 1."""
    tile = int(rng.integers(700, 1800)) if rng.random() < 0.6 else max(shape)
    rows = (np.arange(shape[0]) % tile) / tile - 0.5
    cols = (np.arange(shape[1]) % tile) / tile - 0.5
    tilt = rng.normal(0, 0.5, 2)
    field = 1 - depth * (2.2 * (rows[:, None] ** 2 + cols[None, :] ** 2))
    field += depth * 0.5 * (tilt[0] * rows[:, None] + tilt[1] * cols[None, :])
    if tile < max(shape):
        steps = rng.normal(1, 0.008, (shape[0] // tile + 1, shape[1] // tile + 1))
        field *= steps[(np.arange(shape[0]) // tile)[:, None], (np.arange(shape[1]) // tile)[None, :]]
    return field.astype(np.float32)


def expose_fluorescence(
    rng: np.random.Generator, channels: list[np.ndarray], pixel_um: float
) -> tuple[np.ndarray, int]:
    """(C, H, W) unsigned counts and their bit depth."""
    bits = int(rng.choice([8, 12, 16], p=[0.35, 0.35, 0.3]))
    out = []
    for channel in channels:
        light = channel * _fields(rng, channel.shape, rng.uniform(0.02, 0.25))
        photons = rng.uniform(50, 320)
        spread = np.sqrt(np.maximum(light, 0.02) / np.float32(photons))
        noisy = light + spread * rng.standard_normal(light.shape, np.float32)
        noisy += rng.uniform(0, 0.035) * cloud(rng, channel.shape, rng.uniform(0.8, 1.6))
        if rng.random() < 0.3:  # rows of the sensor read out unevenly
            noisy += np.asarray(rng.normal(0, 0.012, channel.shape[0]), np.float32)[:, None]
        if rng.random() < 0.3:
            noisy = gaussian_filter(noisy, rng.uniform(0.4, 0.8))
        top = np.percentile(noisy[::3, ::3], 99.95) * rng.uniform(1.0, 2.5)
        dark = rng.uniform(0.004, 0.06)
        full = float(2**bits - 1)
        scaled = full * (dark + (1 - dark) * noisy / top)
        out.append(np.clip(np.rint(scaled), 0, full).astype(np.uint8 if bits == 8 else np.uint16))
    if bits == 8 and rng.random() < 0.35:
        out = [_jpeg(rng, image) for image in out]
    return np.stack(out), bits


def _jpeg(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    data = io.BytesIO()
    Image.fromarray(image).save(data, "JPEG", quality=int(rng.integers(60, 91)))
    return np.asarray(Image.open(data))


def expose_bright_field(rng: np.random.Generator, transmitted: np.ndarray, pixel_um: float) -> np.ndarray:
    """(H, W, 3) uint8 as a slide scanner or a microscope camera gives it."""
    shape = transmitted.shape[:2]
    white = rng.uniform(0.85, 0.97) * (1 + rng.normal(0, 0.02, 3))
    light = transmitted * white.astype(np.float32) * _fields(rng, shape, rng.uniform(0.0, 0.12))[..., None]
    optics = rng.uniform(0.15, 0.35) / pixel_um
    for k in range(3):
        light[..., k] = gaussian_filter(light[..., k], optics * rng.uniform(0.9, 1.15))
    electrons = rng.uniform(2500, 12000)
    light += np.sqrt(np.clip(light, 0.01, None) / electrons) * rng.standard_normal(light.shape, np.float32)
    grain = cloud(rng, shape, rng.uniform(0.7, 1.4))[..., None] * rng.uniform(0, 0.006)
    light += grain.astype(np.float32)
    if rng.random() < 0.2:
        light += rng.normal(0, 0.003, (shape[0], 1, 1)).astype(np.float32)
    if rng.random() < 0.5:  # the halo of a scanner's sharpening
        amount, reach = rng.uniform(0.2, 0.8), rng.uniform(0.8, 1.8)
        for k in range(3):
            light[..., k] += amount * (light[..., k] - gaussian_filter(light[..., k], reach))
    gamma = float(rng.choice([1.0, rng.uniform(0.8, 1.0)]))
    eight = np.clip(np.rint(255 * np.power(np.clip(light, 0, 1), np.float32(gamma))), 0, 255).astype(np.uint8)
    return _jpeg(rng, eight) if rng.random() < 0.75 else eight
