"""Words of our sentences that depend on a number."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return the number with its noun, ``1 picture``, ``2,000 pictures``; ``plural`` where it is not an s more.

    >>> counted(1, "picture"), counted(2000, "picture"), counted(2, "copy", "copies")
    ('1 picture', '2,000 pictures', '2 copies')
    """
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
