"""What small detectors call things: the labels of COCO (Lin et al. 2014) and Objects365 (Shao et al. 2019).

``labels.json`` holds COCO's by their numbers in its annotations, which have gaps, and those of Objects365 in order. The
first of these stands for nothing: the networks count from 1.
"""

from __future__ import annotations

import json
from importlib import resources

_TABLES = json.loads(resources.files(__package__).joinpath("labels.json").read_text(encoding="utf-8"))
COCO: tuple[str, ...] = tuple(_TABLES["coco"].values())
COCO_IDS: tuple[int, ...] = tuple(map(int, _TABLES["coco"]))
OBJECTS365: tuple[str, ...] = tuple(_TABLES["objects365"])
