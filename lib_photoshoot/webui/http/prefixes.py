"""Where our routes stand."""

from __future__ import annotations

PREFIX = "/photoshoot/v1"
TRAIN_PREFIX = f"{PREFIX}/train"
SHOOT_PREFIX = f"{PREFIX}/shoot"
WEB_PREFIX = f"{PREFIX}/web"
PICTURES_PREFIX = f"{PREFIX}/pictures"
