"""What is wrong with a request, and the HTTP status that says so."""

from __future__ import annotations

from lib_photoshoot.errors import (
    ImageError,
    ImageTooLargeError,
    PhotoshootError,
    ProductsError,
    ShootError,
    TrainingError,
    WeightsError,
)
from lib_photoshoot.settings import SettingsError
from lib_photoshoot.staging.plan import StageError
from lib_photoshoot.webui.http.folders import FolderError, MissingPathError


class RequestError(PhotoshootError):
    """A request that cannot be carried out, with the HTTP status that says so."""

    def __init__(self, message: str, status: int = 422) -> None:
        super().__init__(message)
        self.status = status


def status_of(error: PhotoshootError) -> int:
    """Return the HTTP status of one of the project's errors."""
    if isinstance(error, RequestError):
        return error.status
    kinds: tuple[tuple[type[PhotoshootError], int], ...] = (
        (FolderError, 403),
        (MissingPathError, 404),
        (ImageTooLargeError, 413),
        (ImageError, 422),
        (SettingsError, 422),
        (StageError, 422),
        (ProductsError, 422),
        (TrainingError, 422),
        (ShootError, 422),
        (WeightsError, 503),
    )
    return next((status for kind, status in kinds if isinstance(error, kind)), 500)
