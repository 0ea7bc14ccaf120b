"""An export folder on the picture page: what was exported, what its channel objects to, what a person decided."""
