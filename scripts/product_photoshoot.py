"""Loaded by the WebUI at its start: the always-on script, the Settings section, the routes and the tab."""

from lib_photoshoot.webui.interface.script import ProductPhotoshoot, register  # noqa: F401

register()
