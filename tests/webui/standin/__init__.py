"""A small host of our own, in which the adapter for AUTOMATIC1111's WebUI runs without that WebUI.

``host/modules`` has the names and parameters that extensions of the WebUI meet, and behaves as measured on the real
one; it paints without a network. gradio is the real one, of the host's version. ``extensions/controlnet`` stands for
sd-webui-controlnet. ``tests/contract`` compares both with the real ones where these are at hand.

``python -m tests.webui.standin`` makes an environment with the host's packages and runs the tests there, with coverage.
"""
