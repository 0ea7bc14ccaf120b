"""What all of the host shares."""

from __future__ import annotations

import os
from typing import Any

from modules import devices, interrogate, options, paths, shared_cmd_options, shared_state

OptionInfo, OptionHTML = options.OptionInfo, options.OptionHTML
cmd_opts = shared_cmd_options.cmd_opts
hide_dirs = {"visible": not cmd_opts.hide_ui_dir_config}
demo: Any = None
device = devices.device
state = shared_state.State()
interrogator = interrogate.InterrogateModels()
restricted_opts = {
    "outdir_samples", "outdir_txt2img_samples", "outdir_img2img_samples", "outdir_grids", "outdir_txt2img_grids",
    "outdir_save", "temp_dir",
}  # fmt: skip


class TotalTQDM:
    """The console's progress bar."""

    def clear(self) -> None:
        """Take it off the console."""


total_tqdm = TotalTQDM()


def _host_options() -> dict[str, OptionInfo]:
    def folder(name: str) -> str:
        return os.path.join(paths.data_path, "outputs", name)

    values = {
        "outdir_samples": "", "outdir_txt2img_samples": folder("txt2img-images"),
        "outdir_img2img_samples": folder("img2img-images"), "outdir_grids": "",
        "outdir_txt2img_grids": folder("txt2img-grids"), "outdir_img2img_grids": folder("img2img-grids"),
        "outdir_save": folder("saved"), "sd_model_checkpoint": None,
        "samples_save": True, "samples_format": "png", "grid_save": True, "grid_format": "png", "return_grid": True,
        "grid_only_if_multiple": True, "n_rows": -1, "enable_pnginfo": True, "overlay_inpaint": True,
        "img2img_color_correction": False, "img2img_background_color": "#ffffff", "persistent_cond_cache": True,
        "temp_dir": "", "add_version_to_infotext": True, "save_images_replace_action": "Replace",
    }  # fmt: skip
    return {name: OptionInfo(value, section=("host", "Host")) for name, value in values.items()}


opts = options.Options(_host_options(), restricted_opts)


def __getattr__(name: str) -> Any:
    if name == "sd_model":  # asked for, it is loaded
        from modules import sd_models

        return sd_models.model_data.get_sd_model()
    raise AttributeError(name)
