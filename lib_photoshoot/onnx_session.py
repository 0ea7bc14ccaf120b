"""ONNX Runtime on the CPU, set up so that it keeps neither threads nor memory from the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lib_photoshoot.errors import WeightsError


def open_session(path: Path) -> Any:
    """Return ONNX Runtime's session of a model file. Raises WeightsError when it, or the runtime, cannot be used."""
    import torch

    try:
        import onnxruntime
    except ImportError as error:
        raise WeightsError(
            "ONNX Runtime, which runs the small networks, is not installed: 'pip install onnxruntime' adds it "
            "(in the WebUI, restart it with an internet connection and without --skip-install)."
        ) from error

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # files that list weights as inputs get hundreds of warnings
    options.intra_op_num_threads = torch.get_num_threads()
    # Threads that wait by spinning slow down whatever else the machine does, as torch's would without PASSIVE.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # What one picture needed is given back: IS-Net's gigabyte would otherwise stay for good.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its own exception types differ from release to release
        raise WeightsError(f"{path} cannot be read by ONNX Runtime ({error}): delete it and get it again.") from error
