"""The accepted pictures of a product, best first: measured qualities, their weights, and near-duplicates."""
