"""How a run over a folder stands, as HTML."""

from __future__ import annotations

import os
from html import escape

from lib_photoshoot.files import shown
from lib_photoshoot.webui.folder.run import FolderRunState, Snapshot
from lib_photoshoot.webui.http.sentences import note


def progress_html(snapshot: Snapshot) -> str:
    """Return the bar, and one line below it."""
    share = snapshot.done / snapshot.total if snapshot.total else 1
    if snapshot.state is FolderRunState.FAILED:
        return note(snapshot.message or "", wrong=True)
    if snapshot.state is FolderRunState.STOPPED:
        left = snapshot.total - snapshot.done
        text = (
            "Stopped; 1 picture left. Start again with the same settings to go on."
            if left == 1
            else f"Stopped; {left:,} pictures left. Start again with the same settings to go on."
        )
    elif snapshot.state is FolderRunState.DONE:
        text = f"Done in {_time(snapshot.seconds)}."
    elif snapshot.state is FolderRunState.STOPPING:
        text = "Stopping after this picture …"
    elif snapshot.waiting:
        text = "Waiting for the WebUI to finish another job …"
    else:
        text = os.path.basename(snapshot.file) if snapshot.file else "Starting …"
    return (
        f'<div class="photoshoot-tab-progress photoshoot-tab-{snapshot.state.value}" role="status">'
        f'<div class="photoshoot-tab-bar"><i style="width:{share * 100:.1f}%"></i></div>'
        f"<p><b>{snapshot.done} / {snapshot.total}</b><span>{escape(shown(text))}</span>"
        f"<em>{_found_so_far(snapshot)}</em></p>"
        f"</div>{note(snapshot.message or '')}"
    )


def _found_so_far(snapshot: Snapshot) -> str:
    matched, skipped = snapshot.matched, snapshot.skipped
    if snapshot.state.ended:
        return ""
    if not matched + skipped:  # those of an earlier run took no time
        return f"{matched} with a product, {skipped} without"
    left = _time(snapshot.seconds / (matched + skipped) * (snapshot.total - snapshot.done))
    return f"{matched} with a product, {skipped} without · about {left} left"


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
