"""What a selectable script returns is filtered when it has ended, where its generations made only parts of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial, wraps
from typing import Any

from modules import scripts

from lib_photoshoot.webui.generate.arguments import is_switched_off
from lib_photoshoot.webui.generate.drivers import Passes, driver_of
from lib_photoshoot.webui.generate.selectable import filter_returned
from lib_photoshoot.webui.hosts.a1111.job_run import is_inner, job_of


def _filter_results(kind: type[Any], runner: Any, p: Any, arguments: Sequence[Any], processed: Any) -> None:
    """Filter what a selectable script has returned whose generations made only parts of it.

    ``kind`` is our always-on script's class; ``arguments`` are those of all scripts, as the host hands them to its
    ``runner``. Never raises.
    """
    driver = driver_of(p)
    if driver is None or driver.passes is not Passes.PARTS or not getattr(processed, "images", None) or is_inner(p):
        return
    ours = next((script for script in runner.alwayson_scripts if isinstance(script, kind)), None)
    own = arguments[ours.args_from : ours.args_to] if ours else ()
    if is_switched_off(own):
        return
    from lib_photoshoot.webui.hosts.a1111.outer import release_models
    from lib_photoshoot.webui.hosts.a1111.pictures import photo_of, save_returned

    try:
        job = job_of(own, None, driver)
        if job is not None:
            filter_returned(job, driver, p, processed, partial(save_returned, p, job), partial(photo_of, p))
            release_models()
    except Exception:  # a mistake of ours must not cost what the script has made
        from lib_photoshoot.webui.hosts.a1111.console import report

        report("a script's pictures were not filtered")


def follow_scripts(kind: type[Any]) -> None:
    """Have the results of selectable scripts filtered, for our always-on script of that class.

    The host has no hook for the end of one.
    """
    run = scripts.ScriptRunner.run
    if getattr(run, "photoshoot", False):  # the UI was reloaded
        return

    @wraps(run)
    def run_and_filter(self: Any, p: Any, *arguments: Any) -> Any:
        processed = run(self, p, *arguments)
        _filter_results(kind, self, p, arguments, processed)
        return processed

    run_and_filter.photoshoot = True  # type: ignore[attr-defined]
    scripts.ScriptRunner.run = run_and_filter
