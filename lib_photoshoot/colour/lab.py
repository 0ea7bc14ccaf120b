"""sRGB to CIE L*a*b* (D65) and back, by OpenCV: L* 0..100, float32."""

from __future__ import annotations

import cv2
import numpy as np


def to_lab(pixels: np.ndarray) -> np.ndarray:
    """uint8 sRGB (H, W, 3) to float32 L*a*b* (H, W, 3)."""
    return cv2.cvtColor(pixels.astype(np.float32) * np.float32(1 / 255), cv2.COLOR_RGB2Lab)


def to_rgb(lab: np.ndarray) -> np.ndarray:
    """float32 L*a*b* (H, W, 3) to uint8 sRGB, rounded and clipped to the gamut."""
    return cv2.convertScaleAbs(np.clip(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB), 0, 1), alpha=255)
