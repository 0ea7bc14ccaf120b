"""The photos of a training on the picture page: what was found about them, captions, and which are left out."""
