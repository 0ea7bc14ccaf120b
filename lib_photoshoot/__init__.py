"""Find named products in pictures, cut them out and enhance them; leave every other picture untouched.

Importing this package is cheap: torch, OpenCV and the models are imported on first use only.
"""

__version__ = "0.1.0"
