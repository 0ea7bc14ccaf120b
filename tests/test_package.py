"""Importing the core is cheap and touches neither torch nor the host."""

import subprocess
import sys

from lib_photoshoot.detection import verification  # noqa: F401  (importable without torch)


def _modules_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(' '.join(sys.modules))"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())


def test_the_package_and_its_command_line_import_no_heavy_library():
    heavy = {"torch", "timm", "transformers", "gradio", "modules", "cv2"}
    assert not heavy & _modules_after("import lib_photoshoot")
    assert not (heavy - {"cv2"}) & _modules_after("import lib_photoshoot.cli.main")


def test_the_core_never_imports_the_host_or_gradio():
    loaded = _modules_after(
        "import lib_photoshoot.pipeline, lib_photoshoot.detection.embedded.detector, lib_photoshoot.segmentation.sam, "
        "lib_photoshoot.enhancement.retouch"
    )
    assert "gradio" not in loaded and "modules" not in loaded
