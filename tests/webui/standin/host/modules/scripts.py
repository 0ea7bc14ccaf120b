"""Scripts of the host and of extensions, and who calls their hooks."""

from __future__ import annotations

import inspect
import os
from collections import namedtuple
from dataclasses import dataclass
from typing import Any

import gradio as gr

from modules import errors, paths, script_callbacks, script_loading

AlwaysVisible = object()
ScriptClassData = namedtuple("ScriptClassData", ["script_class", "path", "basedir", "module"])


class PostprocessImageArgs:
    """One picture, which a hook may replace."""

    def __init__(self, image: Any) -> None:
        self.image = image


class PostprocessBatchListArgs:
    """The tensors of a batch, of which a hook may take some away."""

    def __init__(self, images: list[Any]) -> None:
        self.images = images


@dataclass
class OnComponent:
    """A component that was just made."""

    component: Any


class Script:
    """What scripts are made from; a hook that is not overridden is never called."""

    name: str | None = None
    section: str | None = None
    filename: str | None = None
    args_from: int | None = None
    args_to: int | None = None
    alwayson = is_txt2img = is_img2img = setup_for_ui_only = False
    infotext_fields: list[Any] | None = None
    paste_field_names: list[str] | None = None
    api_info: Any = None
    on_after_component_elem_id: list[Any] | None = None
    controls: list[Any] | None = None

    def title(self):
        raise NotImplementedError

    def ui(self, is_img2img):
        pass

    def show(self, is_img2img):
        return True

    def run(self, p, *args):
        pass

    def setup(self, p, *args):
        pass

    def before_process(self, p, *args):
        pass

    def process(self, p, *args):
        pass

    def before_process_batch(self, p, *args, **kwargs):
        pass

    def process_batch(self, p, *args, **kwargs):
        pass

    def process_before_every_sampling(self, p, *args, **kwargs):
        pass

    def postprocess_batch(self, p, *args, **kwargs):
        pass

    def postprocess_batch_list(self, p, pp, *args, **kwargs):
        pass

    def postprocess_image(self, p, pp, *args):
        pass

    def postprocess_image_after_composite(self, p, pp, *args):
        pass

    def postprocess(self, p, processed, *args):
        pass

    def on_after_component(self, callback, *, elem_id):
        self.on_after_component_elem_id = [*(self.on_after_component_elem_id or []), (elem_id, callback)]


scripts_data: list[ScriptClassData] = []
scripts_txt2img: ScriptRunner
scripts_img2img: ScriptRunner
scripts_current: ScriptRunner | None = None


def load_scripts() -> None:
    """Run all script files: the host's own in ``scripts``, and those of the extensions."""
    global scripts_txt2img, scripts_img2img
    scripts_data.clear()
    script_callbacks.clear_callbacks()
    for folder in (paths.script_path, *sorted(os.scandir(paths.extensions_dir), key=lambda entry: entry.name)):
        for file in sorted(os.listdir(os.path.join(folder, "scripts"))):
            if file.endswith(".py"):
                _load(os.fspath(folder), os.path.join(folder, "scripts", file))
    scripts_txt2img, scripts_img2img = ScriptRunner(), ScriptRunner()


def _load(basedir: str, path: str) -> None:
    try:
        module = script_loading.load_module(path)
    except Exception:
        errors.report(f"Error loading script: {path}", exc_info=True)
        return
    for value in vars(module).values():
        if inspect.isclass(value) and issubclass(value, Script):
            scripts_data.append(ScriptClassData(value, path, basedir, module))


class ScriptRunner:
    """One tab's scripts. What a hook raises is reported, and the job goes on."""

    def __init__(self) -> None:
        self.scripts: list[Script] = []
        self.selectable_scripts: list[Script] = []
        self.alwayson_scripts: list[Script] = []
        self.titles: list[str] = []
        self.infotext_fields: list[Any] = []
        self.paste_field_names: list[str] = []
        self.inputs: list[Any] = [None]
        self.callback_map: dict[str, tuple[int, list[Script]]] = {}
        self.on_after_component_elem_id: dict[str, list[Any]] = {}

    def initialize_scripts(self, is_img2img: bool) -> None:
        """Make the scripts of this tab."""
        for kept in (self.scripts, self.selectable_scripts, self.alwayson_scripts):
            kept.clear()
        for data in scripts_data:
            script = data.script_class()
            script.filename = data.path
            script.is_txt2img, script.is_img2img = not is_img2img, is_img2img
            visibility = script.show(is_img2img)
            if not visibility:
                continue
            script.alwayson = visibility is AlwaysVisible
            self.scripts.append(script)
            (self.alwayson_scripts if script.alwayson else self.selectable_scripts).append(script)
            for elem_id, callback in script.on_after_component_elem_id or []:
                self.on_after_component_elem_id.setdefault(elem_id, []).append((callback, script))
        self.callback_map.clear()

    def setup_ui(self) -> list[Any]:
        """Make the scripts' components: those of the always-on ones, the choice of one more, and that one's."""
        self.titles = [str(script.title()) for script in self.selectable_scripts]
        for script in self.alwayson_scripts:
            self.create_script_ui(script)
        self.inputs[0] = gr.Dropdown(["None", *self.titles], value="None", type="index", elem_id="script_list")
        for script in self.selectable_scripts:
            self.create_script_ui(script)
        return self.inputs

    def create_script_ui(self, script: Script) -> None:
        """One script's components and its place in the arguments."""
        script.args_from = script.args_to = len(self.inputs)
        with gr.Group(visible=script.alwayson):
            try:
                controls = script.ui(script.is_img2img)
            except Exception:
                errors.report(f"Error calling: {script.filename}/ui", exc_info=True)
                controls = None
        script.controls, script.name = controls, str(script.title()).lower()
        if controls is None:
            return
        self.infotext_fields += script.infotext_fields or []
        self.inputs += controls
        script.args_to = len(self.inputs)

    def after_component(self, component: Any, **kwargs: Any) -> None:
        """Tell who waits for a component."""
        for callback, script in self.on_after_component_elem_id.get(component.elem_id, []):
            try:
                callback(OnComponent(component))
            except Exception:
                errors.report(f"Error running on_after_component: {script.filename}", exc_info=True)

    def script(self, title: str) -> Script | None:
        """A script by its title in lower case."""
        return next((script for script in self.scripts if script.name == title.lower()), None)

    def run(self, p: Any, *args: Any) -> Any:
        """The selected script's result, None where none is selected."""
        if not args[0]:
            return None
        script = self.selectable_scripts[args[0] - 1]
        return script.run(p, *args[script.args_from : script.args_to])

    def ordered_scripts(self, method_name: str) -> list[Script]:
        """The always-on scripts with a hook. Kept as long as their number is the same."""
        count, found = self.callback_map.get(method_name, (-1, []))
        if count != len(self.alwayson_scripts):
            plain = getattr(Script, method_name)
            found = [one for one in self.alwayson_scripts if getattr(type(one), method_name, plain) is not plain]
            self.callback_map[method_name] = len(self.alwayson_scripts), found
        return found

    def _each(self, hook: str, p: Any, *values: Any, **more: Any) -> None:
        for script in self.ordered_scripts(hook):
            try:
                getattr(script, hook)(p, *values, *p.script_args[script.args_from : script.args_to], **more)
            except Exception:
                errors.report(f"Error running {hook}: {script.filename}", exc_info=True)

    def setup_scrips(self, p, *, is_ui=True):  # spelt as the host's
        self._each("setup", p)

    def before_process(self, p):
        self._each("before_process", p)

    def process(self, p):
        self._each("process", p)

    def before_process_batch(self, p, **kwargs):
        self._each("before_process_batch", p, **kwargs)

    def process_batch(self, p, **kwargs):
        self._each("process_batch", p, **kwargs)

    def process_before_every_sampling(self, p, **kwargs):
        self._each("process_before_every_sampling", p, **kwargs)

    def postprocess_batch(self, p, images, **kwargs):
        self._each("postprocess_batch", p, images=images, **kwargs)

    def postprocess_batch_list(self, p, pp, **kwargs):
        self._each("postprocess_batch_list", p, pp, **kwargs)

    def postprocess_image(self, p, pp):
        self._each("postprocess_image", p, pp)

    def postprocess_image_after_composite(self, p, pp):
        self._each("postprocess_image_after_composite", p, pp)

    def postprocess(self, p, processed):
        self._each("postprocess", p, processed)
