"""Tells what the trainer's own Python and sd-scripts folder can do; imports nothing of this package.

    python probe.py SD_SCRIPTS_FOLDER

Prints one JSON object behind ``MARK``. Each package is imported on its own, and its name printed before: a library that
kills the interpreter is named too. What they print goes to stderr.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import json
import os
import platform
import re
import sys
from collections.abc import Callable
from importlib import metadata
from typing import Any

MARK = "@photoshoot-probe "

REQUIRED = {
    "torch": "torch",
    "torchvision": "torchvision",
    "numpy": "numpy",
    "PIL": "pillow",
    "cv2": "opencv-python",
    "accelerate": "accelerate",
    "transformers": "transformers",
    "diffusers": "diffusers",
    "huggingface_hub": "huggingface-hub",
    "safetensors": "safetensors",
    "toml": "toml",
    "voluptuous": "voluptuous",
    "imagesize": "imagesize",
    "tqdm": "tqdm",
}
"""Distributions by the module that is imported; without one of them a training cannot begin."""
OPTIONAL = {"bitsandbytes": "bitsandbytes", "xformers.ops": "xformers", "torch.utils.tensorboard": "tensorboard"}

HOOKED = (
    "post_process_network",
    "on_step_start",
    "process_batch",
    "step_logging",
    "sample_images",
    "get_sai_model_spec",
)
"""Methods of ``NetworkTrainer`` that our hook overrides."""


def main() -> None:
    """Print the findings. The exit status is 0 whatever they are."""
    folder = os.path.abspath(sys.argv[1])
    answer = os.dup(1)
    os.dup2(2, 1)  # from here on, prints of the libraries cannot spoil the answer

    def tell(value: dict[str, Any]) -> None:
        os.write(answer, (MARK + json.dumps(value) + "\n").encode())

    # In place of this file's folder, whose modules are none of the trainer's business.
    sys.path[0] = folder
    found: dict[str, Any] = {
        "python": platform.python_version(),
        "cpu_count": os.cpu_count() or 1,
        "sd_scripts": source(folder),
    }
    found["versions"], found["errors"] = packages(tell)
    found["gpus"] = gpus()
    tell({"importing": "train_network"})
    # Not only its packages: their versions must fit each other as well.
    found["trainer_error"] = error_of("train_network") or error_of("networks.lora")
    tell(found)


def source(folder: str) -> dict[str, Any]:
    """Return what is known of sd-scripts without running it: version, fingerprint, methods that our hook would miss."""
    with open(os.path.join(folder, "train_network.py"), encoding="utf-8") as file:
        text = file.read()
    return {
        "version": version_of(folder),
        # Of the text, as git may have converted the line ends.
        "fingerprint": hashlib.sha256(text.encode()).hexdigest(),
        "missing_methods": [name for name in HOOKED if name not in methods_of_trainer(text)],
    }


def version_of(folder: str) -> str | None:
    """Return the newest version that the README's history names, or None."""
    try:
        with open(os.path.join(folder, "README.md"), encoding="utf-8", errors="replace") as file:
            found = re.search(r"Version (\d+\.\d+\.\d+)", file.read())
    except OSError:
        return None
    return found.group(1) if found else None


def methods_of_trainer(text: str) -> set[str]:
    """Names of the methods that the class ``NetworkTrainer`` itself defines."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return set()
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "NetworkTrainer"]
    return {node.name for found in classes for node in found.body if isinstance(node, ast.FunctionDef)}


def packages(tell: Callable[[dict[str, Any]], None]) -> tuple[dict[str, str], dict[str, str]]:
    """Versions of what can be imported, and for the rest why it cannot, by the name that pip knows."""
    versions: dict[str, str] = {}
    errors: dict[str, str] = {}
    for module, distribution in {**REQUIRED, **OPTIONAL}.items():
        tell({"importing": distribution})
        error = error_of(module)
        if error is not None:
            errors[distribution] = error
            continue
        try:
            versions[distribution] = metadata.version(distribution)
        except metadata.PackageNotFoundError:  # another distribution of the same module, such as headless OpenCV
            versions[distribution] = str(getattr(sys.modules[module], "__version__", "unknown"))
    return versions, errors


def error_of(module: str) -> str | None:
    """Why a module cannot be imported, in one line, or None."""
    try:
        importlib.import_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a library may do anything, even exit
        return " ".join((type(error).__name__ + ": " + str(error)).split())[:500]
    return None


def gpus() -> list[dict[str, Any]]:
    """Each CUDA GPU that torch can use: name, memory in bytes, whether it computes in bf16."""
    try:
        import torch

        found = []
        for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
            properties = torch.cuda.get_device_properties(index)
            bf16 = properties.major >= 8 or torch.version.hip is not None
            found.append({"name": properties.name, "memory": properties.total_memory, "bf16": bf16})
        return found
    except Exception:  # torch itself is reported elsewhere
        return []


if __name__ == "__main__":
    main()
