"""What the HTTP routes of shoots do, without HTTP: lists that are edited, and one shoot at a time.

Errors are PhotoshootError sentences; RequestError says its HTTP status.
"""

from __future__ import annotations

import base64
import csv
import io
import os
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_photoshoot.confined import is_plain, stays_inside
from lib_photoshoot.errors import PhotoshootError, ShootError
from lib_photoshoot.export.profile import profile_names
from lib_photoshoot.files import shown
from lib_photoshoot.presets import clean_name
from lib_photoshoot.settings import FilterSettings, OnMatch
from lib_photoshoot.shoot.review.folder import ChosenShot, ShootFolder, chosen_from
from lib_photoshoot.shoot.review.report import write_report
from lib_photoshoot.shoot.run.http_webui import HttpWebUi
from lib_photoshoot.shoot.run.ledger import LIST_NAME
from lib_photoshoot.shoot.run.pictures import THUMBNAIL_SIDE
from lib_photoshoot.shoot.run.runner import ShootRun
from lib_photoshoot.shoot.shot_list.fields import FIELDS, REQUIRED, SEPARATOR
from lib_photoshoot.shoot.shot_list.reading import rows_of, write_shot_list
from lib_photoshoot.shoot.shot_list.rows import RowError
from lib_photoshoot.spreadsheet import formula_safe
from lib_photoshoot.webui.http.background import Later
from lib_photoshoot.webui.http.errors import RequestError
from lib_photoshoot.webui.http.picture_pages import REPORT_AFTER_S, address_of
from lib_photoshoot.webui.shoot.finishing import Finishing
from lib_photoshoot.webui.shoot.for_shops import shop_of
from lib_photoshoot.webui.shoot.pictures import OwnShoot
from lib_photoshoot.webui.shoot.rows import (
    RowsError,
    cells,
    changed_products,
    columns,
    fields_of,
    new_name,
    parse_rows,
    products_of,
)
from lib_photoshoot.webui.shoot.watch import WatchedRun

if TYPE_CHECKING:
    from lib_photoshoot.shoot.run.webui import WebUi
    from lib_photoshoot.webui.shoot.host import ShootHost

MOST_TRIES = 100_000
# Asked again and again while the page is seen: what enhances would have the host load its checkpoint for the answer.
_LOOKING = FilterSettings(products="cup", on_match=OnMatch.CUT_OUT.value)


class ShootService:
    """The shoots of one host. Safe to call from several threads."""

    def __init__(self, host: ShootHost, report_after: float = REPORT_AFTER_S) -> None:
        self._host = host
        self._lock = threading.Lock()
        self._watched: dict[str, WatchedRun] = {}
        self._folders: dict[str, ShootFolder] = {}
        self._finishing = Finishing(host)
        self._reports = Later(report_after, self._write_report)

    def overview(self) -> dict[str, Any]:
        """Everything that the page shows before a shoot was chosen."""
        running = self._running()
        return {
            "fields": columns(),
            "separator": SEPARATOR,
            "choices": {**self._host.choices(), "exports": profile_names()},
            "folder": str(self._host.folder()),
            "shoots": [self._summary(path) for path in self._paths()],
            "running": running.name if running else None,
            "weights": self._host.problem(_LOOKING) or "",
        }

    def check(self, body: Any) -> dict[str, Any]:
        """Return what is wrong with rows, how many pictures they want, and the prompt of each one's first picture."""
        rows = parse_rows(fields_of(body, ("rows",))["rows"])
        products, problems = products_of(rows, self._locate)
        prompts = [""] * len(rows)
        for index, product in products.items():
            prompts[index] = product.shot(0).prompt
        return {
            "problems": problems,
            "wanted": sum(product.count for product in products.values()),
            "prompts": prompts,
        }

    def stage(self, body: Any) -> dict[str, Any]:
        """Return how the first scene of a row's photo would begin, as a small JPEG in base64; nothing is painted."""
        products, problems = products_of(parse_rows([fields_of(body, ("row",))["row"]]), self._locate)
        if problems:
            raise RowsError(problems)
        if not products or not products[0].photos:
            raise RequestError("The row names no photo; give one, or a folder of them.")
        image = self._host.stage(products[0].settings, products[0].photos[0].path)
        image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=85)
        return {"image": base64.b64encode(buffer.getvalue()).decode("ascii")}

    def read(self, body: Any) -> dict[str, Any]:
        """Return the rows of a list's text, as cells."""
        values = fields_of(body, ("text", "kind"))
        if values["kind"] not in ("csv", "yaml") or not isinstance(values["text"], str):
            raise RequestError("Give the list as text, and its kind as csv or yaml.")
        try:
            rows = [
                cells(row.values) for row in rows_of(values["text"].removeprefix("\ufeff"), values["kind"] == "csv")
            ]
        except RowError as error:
            raise RequestError(f"Line {error.line}: {error.text}") from error
        return {"rows": rows}

    def save(self, body: Any) -> dict[str, Any]:
        """Keep a list under a name, new or not."""
        values = fields_of(body, ("name", "rows"))
        name = new_name(values["name"])
        products, problems = products_of(parse_rows(values["rows"]), self._locate)
        path = self._host.folder() / name
        problems = problems or changed_products(products, path)
        if problems:
            raise RowsError(problems)
        if not products:
            raise RequestError("The list names no product yet; write one row for each.")
        with self._lock:
            if (running := self._running()) is not None and running.name == name:
                raise RequestError(f"The shoot {name} is under way; stop it before you change its list.", 409)
            try:
                path.mkdir(parents=True, exist_ok=True)
                write_shot_list(path, [product.row for product in products.values()])
                # What was said of an earlier run may be about rows that are no more.
                self._watched.pop(name, None)
            except OSError as error:
                raise RequestError(f"The list cannot be kept in {shown(path)} ({error.strerror}).", 500) from error
        return self.detail(name)

    def detail(self, name: str, after: int = 0) -> dict[str, Any]:
        """How a shoot stands, with the shots that changed after a revision."""
        watched, page = self._watched.get(name), address_of(self._host.folder() / name)
        if watched is not None and watched.running:
            return {"name": name, "page": page, **watched.describe(), **watched.view(after)}
        view = self._folder(name).view(after)
        past = watched.describe() if watched is not None else {"message": "", "notes": [], "seconds": None}
        state = _state(view, watched)
        if state != past.get("state"):  # decided by hand since
            past["message"] = ""
        asides = watched.asides() if watched is not None else {}
        products = [product | {"aside": asides.get(product["name"], "")} for product in view["products"]]
        return {"name": name, "page": page, **past, "state": state, **view, "products": products}

    def rows(self, name: str) -> dict[str, Any]:
        """Return the list of a shoot, as cells."""
        return {"rows": [cells(row) for row in self._folder(name).rows()]}

    def csv(self, name: str) -> str:
        """Return the list of a shoot as CSV, with the columns that it uses."""
        rows = self.rows(name)["rows"]
        used = [field for field in FIELDS if field in REQUIRED or any(row.get(field) for row in rows)]
        buffer = io.StringIO()
        writer = csv.DictWriter(buffer, used, restval="", lineterminator="\r\n")
        writer.writeheader()
        writer.writerows({field: formula_safe(text) for field, text in row.items()} for row in rows)
        return buffer.getvalue()

    def act(self, name: str, body: Any) -> dict[str, Any]:
        """Start or stop a shoot."""
        if isinstance(body, dict) and body.get("action") == "stop":
            fields_of(body, ("action",))
            if (running := self._running()) is None or running.name != name:
                raise RequestError(f"The shoot {name} is not under way.", 409)
            running.stop()
        elif isinstance(body, dict) and body.get("action") == "start":
            self._start(name, fields_of(body, ("action", "own", "webuis", "auth", "tries")))
        else:
            raise RequestError("Give an action: start or stop.")
        return self.detail(name)

    def finish_state(self, name: str) -> dict[str, Any]:
        """How far the pictures of a shoot are cut out, ranked and exported."""
        return self._finishing.describe(self._folder(name).path)

    def finish(self, name: str, body: Any) -> dict[str, Any]:
        """Start or stop to cut out, rank and export a shoot's accepted pictures; what a start has besides is read by
        :func:`~lib_photoshoot.webui.shoot.for_shops.shop_of`.
        """
        path = self._folder(name).path
        action = body.get("action") if isinstance(body, dict) else None
        if action == "start":
            self._finishing.start(path, *shop_of({key: body[key] for key in body if key != "action"}))
            return self._finishing.describe(path)
        fields_of(body, ("action",))
        if action == "stop":
            self._finishing.stop(path)
        else:
            raise RequestError("Give an action: start or stop.")
        return self._finishing.describe(path)

    def decide(self, name: str, body: Any) -> dict[str, Any]:
        """Accept or reject pictures by hand; the shots that changed, and the counts."""
        return self.write(name, chosen_from(fields_of(body, ("decisions",))["decisions"]))

    def write(self, name: str, chosen: Sequence[ChosenShot]) -> dict[str, Any]:
        """As :meth:`decide`, what was read already."""
        folder = self._folder(name)
        before = self.detail(name)["revision"]
        watched = self._watched.get(name)
        if watched is not None and watched.running:
            chosen = watched.decide(chosen)
        if chosen:
            folder.decide(chosen)
            self._reports.ask(name)
        view = self.detail(name, before)
        return {"shots": view["shots"], "products": view["products"]}

    def own(self, folder: Path) -> OwnShoot | None:
        """Return the pictures of one of the shoots by its real folder; None for any other folder."""
        if folder.parent != Path(os.path.realpath(self._host.folder())) or not (folder / LIST_NAME).is_file():
            return None
        return OwnShoot(self._folder(folder.name), partial(self.write, folder.name))

    def file(self, name: str, file: str) -> Path:
        """Return a picture or thumbnail of a shoot. Raises RequestError 404 for anything else."""
        folder = self._folder(name)
        path = folder.path / file
        if path.suffix not in (".png", ".jpg", ".webp") or not is_plain(file) or not stays_inside(folder.path, path):
            raise RequestError(f"The shoot {name} has no picture {file!r}.", 404)
        if not os.path.isfile(path):
            raise RequestError(f"The picture {file!r} is not there any more; load the page again.", 404)
        return path

    def _start(self, name: str, values: Mapping[str, Any]) -> None:
        webuis = self._webuis(values)
        tries = values["tries"]
        if tries is not None and (type(tries) is not int or not 1 <= tries <= MOST_TRIES):
            raise RequestError(f"The tries are {tries!r}; give a whole number from 1 to {MOST_TRIES}, or none.")
        folder = self._folder(name)
        products = folder.products()
        if values["own"]:
            for settings in {product.settings for product in products}:
                if (problem := self._host.problem(settings)) is not None:
                    raise RequestError(problem)
        with self._lock:
            if (running := self._running()) is not None:
                raise RequestError(f"The shoot {running.name} is under way; stop it, or wait for it.", 409)
            watched = WatchedRun(name)
            watched.start(lambda tell: ShootRun(products, webuis, folder.path, True, tries, tell, locate=self._locate))
            self._watched[name] = watched

    def _webuis(self, values: Mapping[str, Any]) -> list[WebUi]:
        own, urls, auth = values["own"], values["webuis"], values["auth"]
        texts = isinstance(urls, list) and all(isinstance(url, str) for url in urls)
        if not isinstance(own, bool) or not texts or not isinstance(auth, str):
            raise RequestError("own is true or false, webuis a list of addresses, and auth a text.")
        webuis: list[WebUi] = [self._host.webui()] if own else []
        webuis += [HttpWebUi(url.strip(), auth.strip(), refusal=self._host.refusal) for url in urls if url.strip()]
        if not webuis:
            raise RequestError("No WebUI is chosen; tick this one, or give the address of another.")
        return webuis

    def _locate(self, text: str) -> Path:
        return self._host.folders().resolve(text)

    def _running(self) -> WatchedRun | None:
        # A copy: another request may begin a shoot meanwhile.
        return next((watched for watched in tuple(self._watched.values()) if watched.running), None)

    def _paths(self) -> list[Path]:
        """Return the folders of shoots, the newest first."""
        found = [path.parent for path in self._host.folder().glob(f"*/{LIST_NAME}")]
        return sorted(found, key=_changed_at, reverse=True)

    def _folder(self, name: str) -> ShootFolder:
        try:
            if clean_name(name) != name:
                raise ShootError(name)
            # What the first one has read is kept, however often the page asks; each new one looks whether it is there.
            found = ShootFolder(self._host.folder() / name)
            return self._folders.setdefault(name, found)
        except PhotoshootError as error:
            raise RequestError(f"There is no shoot {name!r}; load the page again.", 404) from error

    def _summary(self, path: Path) -> dict[str, Any]:
        described = {"name": path.name, "changed": _changed_at(path), "running": False}
        try:
            view = self.detail(path.name, after=1 << 60)
        except PhotoshootError:  # a list that somebody has edited by hand: told when it is opened
            return described | {"products": 0, "wanted": 0, "accepted": 0, "tries": 0}
        counts = view["products"]
        accepted = sum(min(product["accepted"], product["wanted"]) for product in counts)
        return described | {
            "running": view["state"] in ("running", "stopping"),
            "products": len(counts),
            "wanted": sum(product["wanted"] for product in counts),
            "accepted": accepted,
            "tries": sum(product["accepted"] + product["rejected"] for product in counts),
        }

    def _write_report(self, name: str) -> None:
        try:
            write_report(self._host.folder() / name, self.detail(name))
        except (OSError, PhotoshootError):
            # The page itself is made anew each time; the next run or decision writes the file.
            return


def _state(view: Mapping[str, Any], watched: WatchedRun | None) -> str:
    """How a shoot stands that does not run here (any more)."""
    ended = watched.describe()["state"] if watched is not None else "draft"
    if ended == "failed" or not view["revision"]:
        return ended
    if all(product["accepted"] >= product["wanted"] for product in view["products"]):
        return "done"
    return "short" if ended == "short" else "stopped"


def _changed_at(path: Path) -> float:
    try:
        return max(file.stat().st_mtime for file in path.iterdir() if file.is_file())
    except (OSError, ValueError):
        return 0.0
