"""The command line's switches, as they are where none was given. The Lora extension adds ``lora_dir``."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from modules import paths

DEFAULTS: dict[str, Any] = {
    "api": True, "api_auth": None, "api_log": False, "ckpt_dir": None, "embeddings_dir": None,
    "enable_insecure_extension_access": False, "freeze_settings": False, "freeze_settings_in_sections": None,
    "freeze_specific_settings": None, "gradio_allowed_path": [], "gradio_auth": None, "gradio_auth_path": None,
    "hide_ui_dir_config": False, "listen": False, "lowvram": False, "medvram": False, "medvram_sdxl": False,
    "ngrok": None, "no_gradio_queue": False, "no_half": False, "no_prompt_history": False, "nowebui": False,
    "server_name": None, "share": False, "subpath": None, "timeout_keep_alive": 30,
}  # fmt: skip
"""Declared in the host's parser."""


def parse(**given: Any) -> Namespace:
    """The switches with those that were given, and what the host makes of them."""
    options = Namespace(**DEFAULTS, lora_dir=f"{paths.models_path}/Lora")
    vars(options).update(given)
    options.webui_is_non_local = any([options.share, options.listen, options.ngrok, options.server_name])
    options.disable_extension_access = options.webui_is_non_local and not options.enable_insecure_extension_access
    return options


cmd_opts = parse()
