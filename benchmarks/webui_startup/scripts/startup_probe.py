"""A WebUI extension that prints what this project's extension costs, in CPU milliseconds: at the start, and a job.

Link the folder ``benchmarks/webui_startup`` into ``extensions`` under a name that sorts first (``0-startup-probe``),
start the WebUI twice, and read the last lines of its second log: the first start after an update compiles the sources,
and so does every start under ``PYTHONDONTWRITEBYTECODE``. Thread time, so that the model that loads beside it does not
count. The time that the host itself spends on our components (gradio's) is part of it; Python's collections of garbage
are not: one goes through all that the host has loaded, costs as much as three panels, and falls into ours by chance.
What our hooks cost each job that is generated is printed at its end: with the panel off, that is the price of being
installed.
"""

import gc
import sys
import time
from functools import wraps

from modules import script_callbacks, script_loading

OURS = "product_photoshoot.py"
HOOKS = ("before_process", "process", "before_process_batch", "postprocess_batch_list", "postprocess_image")
HOOKS += ("postprocess_image_after_composite", "postprocess")
spent: dict[str, list[float]] = {}
collecting = {"since": 0.0, "spent": 0.0}


def collected(phase, _):
    """Counts what collections of garbage take, which never overlap."""
    if phase == "start":
        collecting["since"] = time.thread_time()
    else:
        collecting["spent"] += time.thread_time() - collecting["since"]


def measured(name, function):
    @wraps(function)
    def run(*arguments, **more):
        start = time.thread_time() - collecting["spent"]
        try:
            return function(*arguments, **more)
        finally:
            took = time.thread_time() - collecting["spent"] - start
            spent.setdefault(name, []).append(took * 1000)

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
    script = module.ProductPhotoshoot
    script.ui = measured("ui()", script.ui)
    for hook in HOOKS:
        setattr(script, hook, measured("job", getattr(script, hook)))
    script.postprocess = reported(script.postprocess)
    return module


def reported(postprocess):
    @wraps(postprocess)
    def run(*arguments):
        result = postprocess(*arguments)
        calls = spent.pop("job")
        print(f"start-up probe: job {sum(calls):.3f} ms in {len(calls)} calls", flush=True)
        return result

    return run


gc.callbacks.append(collected)
script_callbacks.add_callback = add_callback
script_loading.load_module = load_module


def report(*_):
    for name, values in spent.items():
        print(f"start-up probe: {name} {sum(values):.1f} ms in {len(values)} calls")
    if sys.dont_write_bytecode:
        print("start-up probe: PYTHONDONTWRITEBYTECODE is set, so every start compiles the sources; unset it")
    print(f"start-up probe: {sum(map(sum, spent.values())):.1f} ms CPU in all")


script_callbacks.on_app_started(report)
