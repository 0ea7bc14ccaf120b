"""The WebUI's own BLIP (the captioning half of Interrogate CLIP) as a captioner, without any download."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.webui.hosts.a1111.outer import queue_turn
from lib_photoshoot.webui.hosts.forge.memory import ForgeMemory, find_memory

if TYPE_CHECKING:
    import numpy as np

_HOW_TO_GET = "use Interrogate CLIP in img2img once, which downloads it"


def missing_for_blip() -> str | None:
    """Return a sentence that says what the WebUI's BLIP lacks on this machine, None where it can caption."""
    from modules import paths, shared

    if not hasattr(shared, "interrogator"):
        return "This WebUI has no BLIP of its own; choose another captioner."
    if not any((Path(paths.models_path) / "BLIP").glob("*.pth")):
        return f"The WebUI's BLIP is not on this machine; {_HOW_TO_GET}."
    if "BLIP" not in paths.paths:
        return "The WebUI has no BLIP in its folder repositories; start it once without --skip-prepare-environment."
    if not _has_tokenizer():
        return f"The tokenizer of the WebUI's BLIP (bert-base-uncased) is not on this machine; {_HOW_TO_GET}."
    return None


def _has_tokenizer() -> bool:
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return False
    return isinstance(try_to_load_from_cache("bert-base-uncased", "vocab.txt"), str)


class WebuiBlip:
    """BLIP base with the host's settings for lengths and beams; see ``Captioner``."""

    name = "webui"
    batch_size = 4
    """The model goes to its device and back once for so many pictures, between which generations may come."""

    def __init__(self) -> None:
        missing = missing_for_blip()
        if missing:
            raise TrainingError(missing)

    def caption(self, images: Sequence[np.ndarray]) -> list[str]:
        """Write captions. Raises TrainingError where the host cannot load its model."""
        from modules import shared

        interrogator: Any = shared.interrogator
        with queue_turn():
            try:
                self._load(interrogator)
                return [self._said(interrogator, image) for image in images]
            except Exception as error:  # torch, transformers and timm raise many kinds
                reason = " ".join(str(error).split())[:200] or type(error).__name__
                raise TrainingError(f"The WebUI's BLIP cannot caption ({reason}); choose another captioner.") from error
            finally:
                interrogator.unload()

    @staticmethod
    def _load(interrogator: Any) -> None:
        """As the host's ``load``, less CLIP, which only its categories need."""
        memory = find_memory()
        if memory is not None:
            _load_managed(interrogator, memory)
            return
        from modules import devices, lowvram, shared, torch_utils

        lowvram.send_everything_to_cpu()
        devices.torch_gc()
        if interrogator.blip_model is None:
            model = interrogator.load_blip_model()
            half = not shared.cmd_opts.no_half and not interrogator.running_on_cpu
            interrogator.blip_model = model.half() if half else model
        interrogator.blip_model = interrogator.blip_model.to(devices.device_interrogate)
        interrogator.dtype = torch_utils.get_param(interrogator.blip_model).dtype

    @staticmethod
    def _said(interrogator: Any, image: np.ndarray) -> str:
        from PIL import Image

        return str(interrogator.generate_caption(Image.fromarray(image)))


def _load_managed(interrogator: Any, memory: ForgeMemory) -> None:
    """As :meth:`WebuiBlip._load`, where the host moves its models itself."""
    from modules import interrogate

    if interrogator.blip_model is None:
        model = interrogator.load_blip_model().to(device=interrogator.offload_device, dtype=interrogator.dtype)
        interrogator.blip_patcher = interrogate.ModelPatcher(
            model, load_device=interrogator.load_device, offload_device=interrogator.offload_device
        )
        interrogator.blip_model = model
    memory.load(interrogator.blip_patcher)
