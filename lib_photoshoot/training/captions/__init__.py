"""What is said of each photo: read from beside it, written by a model, edited and undone."""
