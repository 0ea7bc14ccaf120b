"""The photos of a training: their folder checked, scaled into buckets, and what was found about them."""
