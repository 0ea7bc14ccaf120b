"""Errors meant for the user: each message is one sentence saying what, where, and what to do."""


class PhotoshootError(Exception):
    """Base of every error that a surface shows as one sentence, without a traceback.

    >>> from lib_photoshoot import parse_products
    >>> try:
    ...     parse_products("")
    ... except PhotoshootError as error:
    ...     print(error)
    The product list is empty; name at least one product, for example: ...
    """


class ProductsError(PhotoshootError):
    """The product list cannot be understood or used."""


class UnknownProductError(ProductsError):
    """The embedded detector has no ImageNet class for a product word."""


class ImageError(PhotoshootError):
    """A picture cannot be read or written."""


class ImageTooLargeError(ImageError):
    """A picture has more pixels than are allowed."""


class WeightsError(PhotoshootError):
    """A model file is missing, incomplete or not what the manifest says."""


class UnknownModelError(WeightsError):
    """The weights manifest has no file or group of that name."""


class DeviceError(PhotoshootError):
    """A torch device does not exist, or not on this machine."""


class MissingWeightsError(WeightsError):
    """A model file is not there, or not the right one; ``name`` is what to get, ``what`` the sentence's first half."""

    def __init__(self, name: str, what: str, command: str) -> None:
        super().__init__(f"{what}: get it with `{command}`.")
        self.name = name
        self.what = what

    def on_page(self) -> str:
        """Return the sentence for those who have the page before them, and no shell."""
        return f"{self.what}: press 'Get weights' above 'Products' in the product filter."


class PackagesError(PhotoshootError):
    """A Python package that a model needs is not there, or too old."""


class CatalogError(PhotoshootError):
    """An input, output folder or ledger cannot be used."""


class MissingPictureError(PhotoshootError):
    """A decision is about a picture that is not in the folder; ``what`` is the sentence's first half.

    Who has the page before them can load it again; who gave a file of decisions has named another folder's.
    """

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}; load the page again.")
        self.what = what


class MachinesGoneError(CatalogError):
    """The machines that a run's pictures were worked on are gone; what is done is kept, and the run can go on."""


class TrainingError(PhotoshootError):
    """A training set, recipe, trainer or run cannot be used."""


class ExportError(PhotoshootError):
    """A profile cannot be used, or a picture cannot be made or checked for one."""


class ShootError(PhotoshootError):
    """A shot list, a WebUI or an output folder cannot be used for a shoot."""
