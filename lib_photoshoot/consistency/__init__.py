"""Whether the pictures of a set belong together: what is measured of each, and which of them differ."""
