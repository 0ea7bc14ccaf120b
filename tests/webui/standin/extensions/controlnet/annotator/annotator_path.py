"""Where preprocessors keep what they download."""

import os

from modules import paths

models_path = os.path.join(paths.extensions_dir, "controlnet", "annotator", "downloads")
