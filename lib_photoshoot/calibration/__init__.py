"""Calibration by a ColorChecker: what the camera saw, brought to the colours that the chart is known to have."""
