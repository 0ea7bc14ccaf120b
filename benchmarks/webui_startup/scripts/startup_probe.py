"""A WebUI extension that prints what this project's extension costs at the WebUI's start, in CPU milliseconds.

Link the folder ``benchmarks/webui_startup`` into ``extensions`` under a name that sorts first (``0-startup-probe``),
start the WebUI twice, and read the last lines of its second log: the first start after an update compiles the sources,
and so does every start under ``PYTHONDONTWRITEBYTECODE``. Thread time, so that the model that loads beside it does not
count. The time that the host itself spends on our components (gradio's) is part of it.
"""

import sys
import time
from functools import wraps

from modules import script_callbacks, script_loading

OURS = "product_photoshoot.py"
spent: dict[str, list[float]] = {}


def measured(name, function):
    @wraps(function)
    def run(*arguments, **more):
        start = time.thread_time()
        try:
            return function(*arguments, **more)
        finally:
            spent.setdefault(name, []).append((time.thread_time() - start) * 1000)

    return run


def add_callback(
    callbacks, callback, *, name=None, category="unknown", filename=None, original=script_callbacks.add_callback
):
    """Measures what our callbacks cost, whenever they are registered."""
    if filename and "photoshoot" in filename and callable(callback):  # scripts themselves come this way too
        callback = measured(category, callback)
    return original(callbacks, callback, name=name, category=category, filename=filename)


def load_module(path, original=script_loading.load_module):
    if not path.endswith(OURS):
        return original(path)
    module = measured("import", original)(path)
    module.ProductPhotoshoot.ui = measured("ui()", module.ProductPhotoshoot.ui)
    return module


script_callbacks.add_callback = add_callback
script_loading.load_module = load_module


def report(*_):
    for name, values in spent.items():
        print(f"start-up probe: {name} {sum(values):.1f} ms in {len(values)} calls")
    if sys.dont_write_bytecode:
        print("start-up probe: PYTHONDONTWRITEBYTECODE is set, so every start compiles the sources; unset it")
    print(f"start-up probe: {sum(map(sum, spent.values())):.1f} ms CPU in all")


script_callbacks.on_app_started(report)
