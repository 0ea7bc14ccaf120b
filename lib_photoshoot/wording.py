"""Words of our sentences that depend on a number or an error."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return the number with its noun, ``1 picture``, ``2,000 pictures``; ``plural`` where it is not an s more.

    >>> counted(1, "picture"), counted(2000, "picture"), counted(2, "copy", "copies")
    ('1 picture', '2,000 pictures', '2 copies')
    """
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def reason_of(error: BaseException) -> str:
    """Return why a place in the network gave nothing, without Python's own signs: ``Connection refused``."""
    inner = getattr(error, "reason", None)  # urllib's URLError
    if isinstance(inner, BaseException):
        return reason_of(inner)
    if isinstance(error, TimeoutError):
        return "no answer in time"
    text = " ".join(str(getattr(error, "strerror", None) or inner or error).split())
    return text[:200] or type(error).__name__
