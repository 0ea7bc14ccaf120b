"""ColorCheckers rendered from spectra, photographed, found, and calibrated: CIEDE2000 on surfaces kept aside.

    python benchmarks/colour_charts.py [--sheet FOLDER] [--seed 1]

A camera of measured sensitivities (Nikon D5100, National Physical Laboratory) photographs a chart (BabelColor's mean of
30 charts, which is not what the fit takes for true) under each light: turned, tilted, shaded by 10 %, with noise. The
calibration is applied to two other pictures under the same light: of ISO 17321-1's patches, and of 99 objects (ANSI/IES
TM-30). Exits with 1 where the first is above 2. "before" is with the exposure made right; "leave-out" is what the fit
says of itself.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib_photoshoot.calibration.calibration import calibrate
from lib_photoshoot.calibration.finding import can_find
from lib_photoshoot.colour.difference import delta_e
from lib_photoshoot.colour.space import SRGB
from lib_photoshoot.images import Picture
from tests.colour import rendered_charts as charts

LIGHTS = ("5000 K", "6500 K", "A", "LED-B3", "LED-V1", "FL2")
HARD = ("FL11", "LED-RGB1")
MOST = 2.0
SIZE = (1200, 840)


def sheet_of(reflectances: np.ndarray, light: str, columns: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture of patches, and the indices of their middles' pixels."""
    values = charts.seen(reflectances, light)
    flat, _ = charts.flat_chart(values, columns)
    noise = np.random.default_rng(seed).standard_normal(flat.shape) * 0.004 * np.sqrt(np.clip(flat, 0.02, 1))
    step = charts.SIDE + charts.GAP
    middles = [
        (charts.FRAME + n // columns * step + 20, charts.FRAME + n % columns * step + 20) for n in range(len(values))
    ]
    return charts.encoded(flat + noise), np.array(middles)


def patch_labs(pixels: np.ndarray, middles: np.ndarray) -> np.ndarray:
    """L*a*b* of the mean colour of each patch."""
    patches = [pixels[y - 14 : y + 14, x - 14 : x + 14].reshape(-1, 3).mean(axis=0) for y, x in middles]
    return SRGB.to_lab(np.rint(np.array(patches) * 257).astype(np.uint16)[None])[0].astype(float)


def before_and_after(reflectances: np.ndarray, light: str, found, columns: int, seed: int):
    """CIEDE2000 means before and after, and both pictures."""
    pixels, middles = sheet_of(reflectances, light, columns, seed)
    after = found.apply(pixels, None, "sheet")
    true = charts.true_lab(reflectances)
    seen = patch_labs(pixels, middles)
    seen[:, 0] *= true[:, 0].sum() / seen[:, 0].sum()
    return delta_e(seen, true).mean(), delta_e(patch_labs(after, middles), true), pixels, after, true


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sheet", type=Path, help="Write before/after/true pictures here.")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    iso, objects = charts.chart_reflectances("ISO 17321-1"), charts.object_reflectances()
    bad = 0
    print(f"charts found by {'colour-checker-detection' if can_find() else 'given corners (not installed)'}")
    print("light      fit                own mean/max  leave-out | ISO before after  max | objects before after  max")
    for light in (*LIGHTS, *HARD):
        linear, corners = charts.photograph(
            charts.seen(charts.chart_reflectances(), light), SIZE, shading=0.1, seed=options.seed
        )
        photo = charts.encoded(linear)
        picture = Picture(photo, None, SIZE[0], SIZE[1])
        found, _ = calibrate(picture, f"{light} chart", None if can_find() else corners)
        one = before_and_after(iso, light, found, 6, options.seed + 1)
        two = before_and_after(objects, light, found, 11, options.seed + 2)
        bad += light in LIGHTS and one[1].mean() > MOST
        print(
            f"{light:10} {found.fit.kind.value:18} {found.error.mean:5.2f} {found.error.max:6.2f}   "
            f"{found.left_out.mean:6.2f}  | {one[0]:9.2f} {one[1].mean():6.2f} {one[1].max():5.2f} | "
            f"{two[0]:13.2f} {two[1].mean():5.2f} {two[1].max():5.2f}"
        )
        if options.sheet:
            options.sheet.mkdir(parents=True, exist_ok=True)
            stacked = np.vstack([np.hstack([one[2], one[3]]), np.full((8, 2 * one[2].shape[1], 3), 255, np.uint8)])
            changed = found.apply(photo, None, light)
            sheet = np.hstack([photo, changed])[::2, ::2]
            wide = cv2.resize(stacked, (sheet.shape[1], stacked.shape[0] * sheet.shape[1] // stacked.shape[1]))
            name = light.replace(" ", "_")
            cv2.imwrite(str(options.sheet / f"{name}.png"), np.vstack([sheet, wide])[..., ::-1])
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
