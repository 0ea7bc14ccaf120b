"""The shoot's memory: a journal from which an interrupted shoot is resumed.

Before a shot is sent to any WebUI its claim is written; when its picture is in place its try is. A claim without a try
was cut off: that shot, with that very seed, is taken again, and no other ever is. A third kind of line is what a person
decided about a picture afterwards: it stands above the filter's decision, and the picture's file moves with it.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_photoshoot.confined import inside, is_plain
from lib_photoshoot.errors import ShootError
from lib_photoshoot.files import remove_parts, shown
from lib_photoshoot.journal import SPOILED, ForeignError, Journal, is_begun, json_line, read_lines
from lib_photoshoot.pages.hands import HANDS, Hand, hand_of
from lib_photoshoot.shoot.run.pictures import placed
from lib_photoshoot.shoot.run.waiting import read_waiting

if TYPE_CHECKING:
    from lib_photoshoot.shoot.shot_list.product import ListedProduct, Shot

LEDGER_NAME = "ledger.jsonl"
LIST_NAME = "list.yaml"
"""The shot list as it was read, beside the ledger; alone in a folder it is a shoot that has not begun."""
FINISHED = "finished"
"""The folder of ``finish``, which runs apart from the shoot."""
HEADER = json.dumps({"program": "product-photoshoot shoot", "version": 1}).encode("ascii") + b"\n"


class Acceptance:
    """What becomes of a picture."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


_PICTURE = re.compile(r"[^/\\\0:]+(/rejected)?/[^/\\\0]+")


@dataclass(frozen=True)
class Try:
    """One finished try.

    ``number`` counts a product's tries from 0; ``seconds`` is the time at the WebUI; ``scores`` are pairs of product
    and score in [0, 1]; ``decision`` and ``why`` are the filter's own; ``file`` is where the picture lies, relative to
    the output folder. ``by_hand`` is what a person decided, None where nobody did, with the code of a ``reason`` and a
    ``note``, as :class:`~lib_photoshoot.pages.hands.Hand` has them. Of a photo in a new scene ``photo`` is the file's
    name, and ``digest`` tells its content.
    """

    product: str
    number: int
    seed: int
    scene: str
    webui: str
    seconds: float
    scores: tuple[tuple[str, float], ...]
    decision: str
    why: str
    file: str
    exports: tuple[str, ...] = ()
    by_hand: str | None = None
    reason: str | None = None
    note: str = ""
    photo: str = ""
    digest: str = ""

    @property
    def hand(self) -> Hand | None:
        """What a person decided, None where nobody did."""
        return None if self.by_hand is None else Hand(self.by_hand, self.reason, self.note)

    @property
    def accepted(self) -> bool:
        """Whether the picture counts: a person's decision stands above the filter's."""
        return (self.by_hand or self.decision) == Acceptance.ACCEPTED


class ShootState:
    """What a ledger's lines come to.

    ``tries`` are all finished tries, in the order in which they ended; ``claimed`` has the numbers of each product's
    claims, ``recipes`` what they were made with. ``changes`` are the indices of the tries that the lines concern, one
    after the other: whoever has seen the first n of them need only look at the others. ``waiting`` are the indices of
    those about which a decision waits for whoever holds the ledger, which has taken in what stands before ``taken``.
    """

    def __init__(self) -> None:
        self.taken = 0
        self.waiting: set[int] = set()
        self.tries: list[Try] = []
        self.claimed: dict[str, set[int]] = defaultdict(set)
        self.recipes: dict[str, set[str]] = defaultdict(set)
        self.changes: list[int] = []
        self._index: dict[tuple[str, int], int] = {}

    def find(self, product: str, number: int) -> Try | None:
        """Return the finished try of that number, None where there is none."""
        index = self._index.get((product, number))
        return None if index is None else self.tries[index]

    def claim(self, product: str, recipe: str, number: int) -> None:
        """Write that a shot is about to be made."""
        self.claimed[product].add(number)
        self.recipes[product].add(recipe)

    def finish(self, entry: Try) -> None:
        """Write that a try is finished; one that is there already stays as it is."""
        key = (entry.product, entry.number)
        if key not in self._index:
            self._index[key] = len(self.tries)
            self.changes.append(len(self.tries))
            self.tries.append(entry)

    def decide(self, product: str, number: int, hand: Hand | None) -> Try | None:
        """Take in what a person decided; None withdraws it. The try as it is now, None where there is no such try."""
        index = self._index.get((product, number))
        if index is None:
            return None
        entry = _decided(self.tries[index], hand)
        self.tries[index] = entry = replace(entry, file=placed(entry.file, entry.accepted))
        self.changes.append(index)
        return entry

    def foresee(self, values: Mapping[str, Any]) -> None:
        """Take in a decision that nobody has carried out: the picture's file lies where it lay."""
        index = self._index.get((values["product"], int(values["number"])))
        if index is not None:
            self.tries[index] = _decided(self.tries[index], hand_of(values, ValueError))
            self.waiting.add(index)

    def apply(self, lines: Iterable[tuple[int, bytes]]) -> None:
        """Take in the lines of a journal. A shot whose line is spoiled is taken again."""
        for _, line in lines:
            with suppress(*SPOILED):
                self._apply(json.loads(line))

    def _apply(self, event: Mapping[str, Any]) -> None:
        if (claim := event.get("claim")) is not None:
            self.claim(claim["product"], claim["recipe"], int(claim["number"]))
        elif (hand := event.get("hand")) is not None:
            self.taken = max(self.taken, int(hand.get("waited", 0)))
            self.decide(hand["product"], int(hand["number"]), hand_of(hand, ValueError))
        else:
            self.finish(_try_from(event["try"]))


def read_state(out: Path) -> ShootState:
    """Return what the ledger of a shoot says now, also while another process writes it; nothing where there is none
    yet.

    Raises ShootError for a file that is no ledger of a shoot, or that cannot be read.
    """
    path = inside(out, LEDGER_NAME, ShootError)
    state = ShootState()
    try:
        state.apply(read_lines(path, HEADER))
        for _, values in read_waiting(out, state.taken):
            with suppress(*SPOILED):
                state.foresee(values)
    except FileNotFoundError:
        pass
    except ForeignError as error:
        raise _foreign(path) from error
    except OSError as error:
        raise ShootError(f"{shown(path)} cannot be read ({error.strerror}); check its permissions.") from error
    return state


class ShootGoesOnError(ShootError):
    """A ledger cannot be had since another process holds it."""


class ShootLedger(Journal):
    """An open ledger; use it as a context manager. Not for several threads at once."""

    def __init__(self, out: Path, products: Sequence[ListedProduct] | None, resume: bool) -> None:
        """Create the output folder or check an existing one; without ``products`` no shot is claimed, only decided.

        Raises ShootError when the folder cannot be used, or belongs to a list in which the products differ.
        """
        self._out, path = out, out / LEDGER_NAME
        self.state = ShootState()
        try:
            _check_folder(out, path, resume)
            super().__init__(path, HEADER)
            self.state.apply(self.lines())
            if products is not None:
                self._check_recipes({product.name: product.recipe for product in products})
            remove_parts(out, FINISHED)
            for entry in self.tries:
                # A decision was written, and the picture not moved any more.
                if entry.by_hand is not None:
                    self._move(placed(entry.file, not entry.accepted), entry.file)
            try:
                self.take_waiting()
            except BaseException:
                self.close()
                raise
        except ForeignError as error:
            raise _foreign(path) from error
        except BlockingIOError as error:
            raise ShootGoesOnError(
                f"Another shoot is writing to {shown(out)}; wait for it or choose another folder."
            ) from error
        except OSError as error:
            raise ShootError(
                f"The output folder {shown(out)} cannot be used ({error.strerror}); choose another one."
            ) from error

    @property
    def tries(self) -> list[Try]:
        """All finished tries, in the order in which they ended."""
        return self.state.tries

    @property
    def claimed(self) -> Mapping[str, set[int]]:
        """The numbers of each product's claims."""
        return self.state.claimed

    def claim(self, shot: Shot) -> None:
        """Write that a shot is about to be made; raises ``OSError``, and leaves no part of a line, on a full disk."""
        product = shot.product
        values = {"product": product.name, "recipe": product.recipe, "number": shot.number, "seed": shot.seed}
        self.append(json_line({"claim": values}))
        self.state.claim(product.name, product.recipe, shot.number)

    def finish(self, entry: Try) -> None:
        """Write a finished try; raises as :meth:`claim` does."""
        values = asdict(entry)
        for name in ("by_hand", "reason", "note"):  # a line of its own
            del values[name]
        if not entry.photo:
            del values["photo"], values["digest"]
        self.append(json_line({"try": values}))
        self.state.finish(entry)

    def decide(self, product: str, number: int, hand: Hand | None) -> Try:
        """Write what a person decided (None withdraws it), move the picture, and return the try as it is now.

        Raises ShootError where there is no such try, and ``OSError`` as :meth:`claim` does.
        """
        before = self.state.find(product, number)
        if before is None:
            raise ShootError(f"The shoot has no picture {number} of {product!r}; load the page again.")
        if before.hand == hand:
            return before
        values = {"decision": None} if hand is None else hand.to_json()
        self.append(json_line({"hand": {"product": product, "number": number, **values}}))
        after = self.state.decide(product, number, hand)
        assert after is not None
        self._move(before.file, after.file)
        return after

    def take_waiting(self) -> list[tuple[Try, Try]]:
        """Carry out decisions that were taken while somebody held the ledger; each try before and after.

        Raises ShootError for a file that is none of theirs, and ``OSError`` as :meth:`claim` does.
        """
        changed = []
        for place, values in list(read_waiting(self._out, self.state.taken)):
            with suppress(*SPOILED):
                key, hand = (values["product"], int(values["number"])), hand_of(values, ValueError)
                before = self.state.find(*key)
                self.append(json_line({"hand": {**values, "waited": place}}))
                after = self.state.decide(*key, hand)
                if before is not None and after is not None:
                    self._move(before.file, after.file)
                    changed.append((before, after))
            self.state.taken = place
        return changed

    def _move(self, old: str, new: str) -> None:
        """Move a picture; nothing where it is there already, or was deleted by its user."""
        source, target = inside(self._out, old, ShootError), inside(self._out, new, ShootError)
        if old == new or target.exists():
            return
        target.parent.mkdir(exist_ok=True)
        with suppress(FileNotFoundError):
            os.rename(source, target)

    def _check_recipes(self, recipes: Mapping[str, str]) -> None:
        for name, made in self.state.recipes.items():
            if made != {recipes.get(name)}:
                self.close()
                other = "is not in this shot list" if name not in recipes else "had other values"
                raise ShootError(
                    f"{shown(self.path.parent)} belongs to another shot list: its product {name!r} {other}; "
                    "repeat that list, or choose another output folder."
                )


def _foreign(path: Path) -> ShootError:
    return ShootError(f"{shown(path)} is not the ledger of a shoot; choose another output folder.")


def _check_folder(out: Path, ledger: Path, resume: bool) -> None:
    out.mkdir(parents=True, exist_ok=True)
    if ledger.is_file():
        if is_begun(ledger, HEADER) and not resume:
            raise ShootError(
                f"{shown(out)} already holds a shoot; add --resume to go on with it, or choose another folder."
            )
    elif any(child.name != LIST_NAME for child in out.iterdir()):
        raise ShootError(f"{shown(out)} is not empty and holds no shoot; choose another output folder.")


def _decided(entry: Try, hand: Hand | None) -> Try:
    if hand is None:
        return replace(entry, by_hand=None, reason=None, note="")
    return replace(entry, by_hand=hand.decision, reason=hand.reason, note=hand.note)


def _try_from(values: Mapping[str, Any]) -> Try:
    entry = Try(**values)
    texts = (entry.product, entry.scene, entry.webui, entry.why, entry.file, entry.photo, entry.digest)
    if type(entry.seed) is not int or not all(isinstance(text, str) for text in texts):
        raise TypeError(entry.seed)
    # What a person decided stands in a line of its own.
    if entry.decision not in HANDS or (entry.by_hand, entry.reason, entry.note) != (None, None, ""):
        raise ValueError(entry.decision)
    seconds = float(entry.seconds)
    if not _PICTURE.fullmatch(entry.file) or not is_plain(entry.file):
        # A stranger's ledger: a decision would move files elsewhere, and pages would show them.
        raise ShootError(
            f"The ledger names {entry.file!r}, which is no picture of a shoot; use only folders that a shoot wrote."
        )
    scores = tuple((str(product), float(score)) for product, score in entry.scores)
    if not all(map(math.isfinite, (seconds, *(score for _, score in scores)))):
        raise ValueError("a figure is none")
    read = {"number": int(entry.number), "seconds": seconds, "scores": scores, "exports": tuple(entry.exports)}
    return Try(**{**values, **read})
