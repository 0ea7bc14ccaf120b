"""The output folder of a shoot, read without running it: its list, how it stands, and a person's decisions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_photoshoot.confined import inside
from lib_photoshoot.errors import ShootError
from lib_photoshoot.files import shown, stamp_of, writing_failed
from lib_photoshoot.pages.hands import Hand, hand_of, has_keys
from lib_photoshoot.shoot.review.view import shoot_view
from lib_photoshoot.shoot.run.ledger import (
    LEDGER_NAME,
    LIST_NAME,
    ShootGoesOnError,
    ShootLedger,
    ShootState,
    Try,
    read_state,
)
from lib_photoshoot.shoot.run.waiting import WAITING_NAME, append_waiting
from lib_photoshoot.shoot.shot_list.fields import read_field
from lib_photoshoot.shoot.shot_list.product import ListedProduct, folder_of
from lib_photoshoot.shoot.shot_list.reading import read_rows, read_shot_list
from lib_photoshoot.shoot.shot_list.rows import RowError


@dataclass(frozen=True)
class ChosenShot:
    """What a person decided about try ``number`` of a product; None withdraws an earlier decision."""

    product: str
    number: int
    hand: Hand | None

    @property
    def decision(self) -> str | None:
        """Whether the picture was accepted or rejected."""
        return self.hand.decision if self.hand else None


@dataclass(frozen=True)
class ListedName:
    """A listed product, as far as it can be read without presets."""

    name: str
    folder: str
    count: int


class ShootFolder:
    """A folder that holds a shoot, whether it runs, has ended or has not begun.

    What was read of its list and its ledger is kept until the file changes. Safe to call from several threads.
    """

    def __init__(self, path: Path) -> None:
        """Open a shoot's folder. Raises ShootError where it holds no shot list."""
        self.path = path
        self._kept: dict[str, tuple[Any, Any]] = {}
        if not inside(path, LIST_NAME, ShootError).is_file():
            what = "holds no shoot" if path.is_dir() else "is no folder"
            raise ShootError(f"{shown(path)} {what}; name the output folder of a shoot.")

    def rows(self) -> list[dict[str, Any]]:
        """Return the listed products' raw fields. Raises ShootError."""
        try:
            return [dict(row.values) for row in read_rows(self.path / LIST_NAME)]
        except RowError as error:
            raise ShootError(f"{shown(self.path / LIST_NAME)}, line {error.line}: {error.text}") from error

    def names(self) -> list[ListedName]:
        """Return the listed products' names, folders and counts. Raises ShootError."""
        return self._unless_changed((LIST_NAME,), self._read_names)

    def _read_names(self) -> list[ListedName]:
        found = []
        for row in self.rows():
            try:
                name = read_field("name", row.get("name"))
                found.append(ListedName(name, folder_of(name), read_field("count", row.get("count"))))
            except ShootError as error:
                raise ShootError(f"{shown(self.path / LIST_NAME)}: {error}") from error
        return found

    def products(self) -> tuple[ListedProduct, ...]:
        """Return the listed products with everything that they name. Raises ShootError."""
        return read_shot_list(self.path / LIST_NAME)

    def state(self) -> ShootState:
        """Return what its ledger says now, to be read only. Raises ShootError."""
        return self._unless_changed((LEDGER_NAME, WAITING_NAME), lambda: read_state(self.path))

    def view(self, after: int = 0) -> dict[str, Any]:
        """As :func:`lib_photoshoot.shoot.review.view.shoot_view`. Raises ShootError."""
        return shoot_view(self.names(), self.state(), after)

    def _unless_changed(self, names: tuple[str, ...], read: Callable[[], Any]) -> Any:
        # Before reading: what is added meanwhile is read the next time.
        stamp = [stamp_of(self.path / name) for name in names]
        known, value = self._kept.get(names[0], (None, None))
        if stamp[0] is None or known != stamp:
            value = read()
            self._kept[names[0]] = (stamp, value)
        return value

    def decide(self, chosen: Iterable[ChosenShot]) -> list[Try]:
        """Write decisions into the ledger, in their order, and move the pictures; returns the tries as they are now.

        While a shoot is running in the folder they wait for it. Raises ShootError for a picture that is not there, and
        where the folder cannot be written.
        """
        chosen = list(chosen)
        try:
            with ShootLedger(self.path, None, resume=True) as ledger:
                return [ledger.decide(one.product, one.number, one.hand) for one in chosen]
        except ShootGoesOnError:
            return self.decide_later(chosen)
        except OSError as error:
            raise ShootError(
                f"The decision could not be kept in {shown(self.path)} ({error.strerror}); correct it and decide again."
            ) from error

    def decide_later(self, chosen: Iterable[ChosenShot]) -> list[Try]:
        """Write decisions for the shoot that is running in the folder; the tries as they will be.

        Raises ShootError as :meth:`decide` does.
        """
        chosen = list(chosen)
        self._tries_of(chosen)
        values = [
            {"product": one.product, "number": one.number, "decision": None, **(one.hand.to_json() if one.hand else {})}
            for one in chosen
        ]
        try:
            append_waiting(self.path, values)
        except OSError as error:
            raise ShootError(
                f"The decision was not kept. {writing_failed(self.path, error, 'decide again')}"
            ) from error
        return self._tries_of(chosen)

    def _tries_of(self, chosen: Iterable[ChosenShot]) -> list[Try]:
        state, found = self.state(), []
        for one in chosen:
            entry = state.find(one.product, one.number)
            if entry is None:
                raise ShootError(f"The shoot has no picture {one.number} of {one.product!r}; load the page again.")
            found.append(entry)
        return found


def chosen_from(values: Any) -> list[ChosenShot]:
    """Decisions out of JSON: a list of objects with ``product``, ``number``, ``decision``, and what
    :class:`~lib_photoshoot.pages.hands.Hand` has besides. Raises ShootError.
    """
    if not isinstance(values, list):
        raise ShootError("The decisions are no list; save them from the report again.")
    return [_chosen(item) for item in values]


def _chosen(item: Any) -> ChosenShot:
    if not has_keys(item, ("product", "number")):
        raise ShootError("A decision needs exactly product, number, decision; save them from the report again.")
    hand = hand_of(item, ShootError)
    product, number = item["product"], item["number"]
    if not isinstance(product, str) or not isinstance(number, int) or isinstance(number, bool):
        raise ShootError("A decision names a picture by its product, a text, and its number, a whole number.")
    return ChosenShot(product, number, hand)
