"""What our own code costs for an image that the WebUI extension enhances, beside models and the nested pass.

    python benchmarks/own_overhead.py [--size 512] [--rounds 5] [PICTURE]

Runs the extension's job on the in-memory host of the tests, with the real embedded models. Detection, segmentation, the
re-check's classifier and the host's pass are timed apart; the rest is ours: hashing, masks, composition, conversions.
The share is given against detection alone, the hardest measure, since any real nested pass comes on top.
Exits with 1 above 5 %.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("picture", nargs="?", type=Path, default=ROOT / "samples" / "coffee.jpg")
    options.add_argument("--products", default="cup, handbag")
    options.add_argument("--size", type=int, default=512)
    options.add_argument("--rounds", type=int, default=5)
    given = options.parse_args()

    import torch
    from PIL import Image

    from lib_photoshoot.build import model_choice
    from lib_photoshoot.registry import REGISTRY
    from lib_photoshoot.settings import FilterSettings
    from lib_photoshoot.webui.generate.enhancer import JobPrompt
    from lib_photoshoot.webui.generate.job import start_job
    from lib_photoshoot.webui.hosts.protocol import ControlModel
    from tests.webui.fake_host import FakeControlNet, FakeHost

    torch.set_num_threads(2)
    host = FakeHost(FakeControlNet([ControlModel("control_canny [1]", "sd1")]))
    settings = FilterSettings(enabled=True, products=given.products, recheck=False)
    models = REGISTRY.get(model_choice(settings, "cpu"))
    theirs = {"seconds": 0.0}
    for owner, name in ((models.detector, "detect"), (models.segmenter, "segment"), (host, "inpaint")):
        setattr(owner, name, timed(getattr(owner, name), theirs))
    image = Image.open(given.picture).convert("RGB").resize((given.size, given.size))
    ours, shares = [], []
    for round_number in range(given.rounds + 1):
        models.segmenter.forget()
        theirs["seconds"] = 0.0
        start = time.perf_counter()
        job = start_job(host, settings)
        outcome = job.handle(object(), (0, 0), image, JobPrompt("a cup", "", 1))
        total = time.perf_counter() - start
        assert "enhanced" in outcome.summary, outcome.summary
        if round_number:
            ours.append(total - theirs["seconds"])
            shares.append(ours[-1] / total)
    share = statistics.median(shares)
    print(f"our own code {statistics.median(ours) * 1000:.0f} ms an image, {share:.1%} of detection and our code")
    return 0 if share <= 0.05 else 1


def timed(function, spent: dict[str, float]):
    """The function, adding its seconds to ``spent``."""

    def run(*arguments, **more):
        start = time.perf_counter()
        try:
            return function(*arguments, **more)
        finally:
            spent["seconds"] += time.perf_counter() - start

    return run


if __name__ == "__main__":
    sys.exit(main())
