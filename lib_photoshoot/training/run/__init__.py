"""One training: prepared, started, watched over, paused, resumed, and kept on the disk."""
