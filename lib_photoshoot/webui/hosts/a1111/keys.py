"""The names under which we keep something on what belongs to the host: its jobs and its pictures."""

from __future__ import annotations

JOB = "_photoshoot_job"
"""On a job: our part of it, a :class:`~lib_photoshoot.webui.hosts.a1111.job_run.JobRun`."""
OVERRIDES = "_photoshoot_overrides"
"""On a job: settings that a cell of X/Y/Z gives it."""
OUTER_CONTROLNET = "_photoshoot_controlnet"
"""On a job: its own ControlNet, while ours has taken its place in the network."""
INNER = ("_photoshoot_inner", "_ad_inner")
"""On a job: that a filter made it for one product, ours or ADetailer."""
MOVE = "photoshoot_move"
"""On a picture: that it goes to the folder of those without a product."""
KEPT = "photoshoot_kept"
"""On a picture: that it must not take the place of a file."""
