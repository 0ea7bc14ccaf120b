"""The main object of a picture as a detector: for products that are called ``product`` or ``*``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lib_photoshoot.detection.main_object.finder import SURE, MainObjectFinder
from lib_photoshoot.detection.main_object.people import person_cue
from lib_photoshoot.detection.verification import iou
from lib_photoshoot.errors import WeightsError
from lib_photoshoot.masks.morphology import mask_box
from lib_photoshoot.products import Product
from lib_photoshoot.results import Box, Detection, Reason
from lib_photoshoot.segmentation.working_copy import resized_mask

if TYPE_CHECKING:
    from lib_photoshoot.detection.protocol import Given

SAME_OBJECT = 0.5
"""Overlap of two boxes, before and after an enhancement, from which they are of one object."""


class MainObjectDetector:
    """Finds what a picture is of; see :class:`~lib_photoshoot.detection.main_object.finder.MainObjectFinder`."""

    name = "main-object"
    default_threshold = SURE

    def __init__(self, finder: MainObjectFinder) -> None:
        self._finder = finder

    def threshold_for(self, product: Product) -> float:
        """See :class:`~lib_photoshoot.detection.protocol.Detector`."""
        return self.default_threshold

    def detect(self, image: np.ndarray, products: Sequence[Product]) -> list[Detection]:
        """See :class:`~lib_photoshoot.detection.protocol.Detector`; the words of the products do not matter.

        Where there is no main object to be sure of, the whole picture or what stands out is a detection with the
        reason.
        """
        found = self._finder.find(image)
        if not found.objects:
            whole = (0.0, 0.0, float(image.shape[1]), float(image.shape[0]))
            return [Detection(product.name, whole, 0.0, refused=found.reason) for product in products]
        masks = [resized_mask(one.mask, image.shape) for one in found.objects]
        boxes = [mask_box(mask) for mask in masks]
        detections = []
        for product in products:
            least = self.default_threshold if product.threshold is None else product.threshold
            # Of several things alike each is as sure as the least: without it, it would be another picture.
            refused = found.reason or (Reason.UNSURE_MAIN_OBJECT if found.sureness < least else None)
            detections += [
                Detection(product.name, box, found.sureness, mask, refused=refused)
                for box, mask in zip(boxes, masks, strict=True)
                if box is not None
            ]
        return detections

    def scores(self, images: Sequence[np.ndarray], box: Box, product: Product) -> list[float] | None:
        """Return how sure the main object of each state of a picture still is the one in ``box``."""
        return [
            max((d.score for d in self.detect(image, [product]) if iou(d.box, box) >= SAME_OBJECT), default=0.0)
            for image in images
        ]


def load(given: Given) -> MainObjectDetector:
    """Make the detector out of what every filter has loaded; see ``build.WAYS``. Raises WeightsError."""
    if given.quick is None:
        raise WeightsError("The main object of a picture is found by u2netp: get it with `models get u2netp`.")
    seen = None if given.small is None else given.small.boxes
    return MainObjectDetector(MainObjectFinder(given.segmenter, given.quick, person_cue(seen)))
