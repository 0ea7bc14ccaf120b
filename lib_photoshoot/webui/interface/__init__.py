"""What the WebUI shows of us and hangs its hooks into: the panel, the tab, and the script that it loads."""
