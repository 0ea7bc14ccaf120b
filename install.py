"""Run by the AUTOMATIC1111 WebUI at start. The panel is not built yet, so nothing is installed into the host."""
