"""How the page of a shoot, or of a run of the filter, feels in Chromium, as a file and as `review` serves it.

    python benchmarks/report_page.py [--of shoot filter] [--counts 100 1000 10000] [--rounds 9]

Needs the package playwright and a program `chromium`. The pictures are made up: 20 products, and thumbnails of noise of
about 11 KB, more than most photographs have in a shoot, and three of about 25 KB for each second picture of a run.
Printed per page: its size; the time until the first card has its
thumbnail decoded, from the beginning of the navigation; the medians of a change of the filter, an arrow key in the
grid, a decision by key, and an arrow key in the large view until its picture is shown, each until the next frame is
drawn; of a served page, the median and the longest from a key until the decision is on the disk, by the one clock that
browser and server have; of a jump to the far end of the page until all thumbnails in sight are decoded; while the page
scrolls by 1200 pixels a second, the longest frame, and frames a second; and what remains after all that: script memory,
and memory of the page's whole process (MB), and elements.
"""

from __future__ import annotations

import argparse
import io
import shutil
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

# Runs an action and resolves with the milliseconds until the frame after it is drawn.
# The policy of the served page allows no eval, so actions are put into the text.
TIMED = """async () => {
    const start = performance.now();
    %s;
    do await new Promise(requestAnimationFrame); while (!(%s));
    await new Promise(done => { const channel = new MessageChannel(); channel.port1.onmessage = done;
        channel.port2.postMessage(0); });
    return performance.now() - start;
}"""
KEY = (
    "(document.activeElement || document.body).dispatchEvent(new KeyboardEvent('keydown', {key: '%s', bubbles: true}))"
)
# Resolves with when a key was pressed, in milliseconds of the machine's clock, once its decision is answered.
KEPT = """async () => {
    performance.clearResourceTimings();
    const start = performance.now();
    %s;
    for (;;) {
        const asked = performance.getEntriesByType("resource")
            .find(one => one.name.endsWith("/decide") && one.responseEnd);
        if (asked) return performance.timeOrigin + start;
        await new Promise(done => setTimeout(done, 5));
    }
}"""
SCROLLED = """async () => {
    scrollTo(0, 0);
    const times = [], by = 1200 / 60;
    const end = performance.now() + 3000;
    for (let last = performance.now(); last < end;) {
        scrollBy(0, by);
        const now = await new Promise(requestAnimationFrame);
        times.push(now - last);
        last = now;
    }
    times.shift();
    return [Math.max(...times), 1000 * times.length / times.reduce((sum, time) => sum + time, 0)];
}"""
SHOWS = {"shoot": ("rejected", "accepted", "all"), "filter": ("skip", "match", "all")}
DECODED = "[...document.querySelectorAll('.card img')].every(one => one.complete && one.naturalWidth > 0)"
FIRST_CARD = """() => new Promise(resolve => { const look = () => {
    const image = document.querySelector(".card img[src]");
    if (image && image.complete && image.naturalWidth) resolve(performance.now()); else requestAnimationFrame(look);
}; look(); })"""


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--of", nargs="+", choices=["shoot", "filter"], default=["shoot", "filter"])
    options.add_argument("--counts", type=int, nargs="+", default=[100, 1_000, 10_000])
    options.add_argument("--rounds", type=int, default=9)
    given = options.parse_args()

    from playwright.sync_api import sync_playwright

    from lib_photoshoot.pages.server import PageServer

    flags = ["--no-sandbox", "--disable-gpu", "--enable-precise-memory-info", "--js-flags=--expose-gc"]
    names = (
        "page MB", "first card", "filter", "key", "decision", "on disk", "at most", "large view", "far jump", "longest",
        "frames/s", "heap MB", "memory MB", "elements",
    )  # fmt: skip
    print(f"{'pictures':>8} {'of':>6} {'page':>7} " + " ".join(f"{name:>10}" for name in names))
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        for count, kind in ((count, kind) for count in given.counts for kind in given.of):
            out = Path(folder) / f"{kind} {count}"
            start = time.perf_counter()
            reviewed = reviewed_shoot(out, count) if kind == "shoot" else reviewed_run(out, count)
            read = time.perf_counter()
            reviewed.write_report()
            written = time.perf_counter()
            size = (out / "report.html").stat().st_size
            show(count, kind, "file", size, measure(browser, (out / "report.html").as_uri(), given.rounds, kind))
            with PageServer(reviewed) as server:
                threading.Thread(target=server.serve_forever, daemon=True).start()
                kept = told_when_written(reviewed)
                figures = measure(browser, server.address, given.rounds, kind, kept)
                size = served_size(server.address)
                server.shutdown()
            show(count, kind, "served", size, figures)
            print(f"{count:>8} made up and read in {read - start:.2f} s, written in {written - read:.2f} s", flush=True)
            shutil.rmtree(out)
        browser.close()
    return 0


def reviewed_shoot(out: Path, count: int) -> Any:
    from lib_photoshoot.shoot.review.decisions import ReviewedShoot
    from lib_photoshoot.shoot.review.folder import ShootFolder

    make_shoot(out, count)
    return ReviewedShoot(ShootFolder(out))


def reviewed_run(out: Path, count: int) -> Any:
    from lib_photoshoot.catalog.review import ReviewedRun

    make_run(out, count)
    return ReviewedRun(out)


def told_when_written(reviewed: Any) -> list[float]:
    """A list that gets the time, in seconds, whenever decisions of ``reviewed`` are on the disk."""
    times: list[float] = []
    decide = reviewed.decide

    def timed(chosen: Any) -> Any:
        answer = decide(chosen)
        times.append(time.time())
        return answer

    reviewed.decide = timed
    return times


def measure(browser: Any, address: str, rounds: int, kind: str, written: list[float] | None = None) -> list[float]:
    """Milliseconds, then MB of script memory and the number of elements; ``written`` is when decisions were written."""
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.set_default_timeout(120_000)
    page.goto(address, wait_until="commit")
    first = page.evaluate(FIRST_CARD)
    page.wait_for_load_state("load")

    def timed(action: str, until: str) -> float:
        return page.evaluate(TIMED % (action, until))

    def median(*actions: str, until: str = "true") -> float:
        return statistics.median(timed(actions[i % len(actions)], until) for i in range(rounds * len(actions)))

    shows = [f"document.querySelector('[data-show={name}]').click()" for name in SHOWS[kind]]
    changed = median(*shows)
    key = median(KEY % "ArrowRight", KEY % "ArrowDown")
    decision = median(KEY % "r", KEY % "a")
    kept = [0.0]
    if written is not None:
        page.wait_for_timeout(500)  # the decisions so far are written
        written.clear()
        pressed = [page.evaluate(KEPT % (KEY % key)) for key in "ra" * rounds]
        kept = [1000 * at - key for at, key in zip(written, pressed, strict=True)]
    page.keyboard.press("Enter")
    page.wait_for_timeout(400)
    large = median(KEY % "ArrowRight", until="document.querySelector('.stage img')")
    page.keyboard.press("Escape")
    end = "scrollTo(0, document.documentElement.scrollHeight * %s)"
    jump = median(end % "1", end % ".5", end % "0", until=DECODED)
    longest, frames = page.evaluate(SCROLLED)
    page.evaluate("gc()")
    memory = page.evaluate("performance.memory.usedJSHeapSize") / 1e6
    elements = page.evaluate("document.querySelectorAll('*').length")
    whole = process_memory(browser)
    page.close()
    return [
        first,
        changed,
        key,
        decision,
        statistics.median(kept),
        max(kept),
        large,
        jump,
        longest,
        frames,
        memory,
        whole,
        elements,
    ]


def process_memory(browser: Any) -> float:
    """MB of the page's own process, the largest of its kind, with its share of what several use; on Linux alone."""
    found = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    rollups = [Path(f"/proc/{one['id']}/smaps_rollup") for one in found if one["type"] == "renderer"]
    lines = [line.split() for path in rollups for line in path.read_text().splitlines()]
    return max(int(line[1]) for line in lines if line[0] == "Pss:") / 1000


def show(count: int, of: str, kind: str, size: int, figures: list[float]) -> None:
    *times, frames, memory, whole, elements = figures
    cells = [
        f"{size / 1e6:>10.2f}",
        *(f"{value:>7.1f} ms" for value in times),
        f"{frames:>10.1f}",
        f"{memory:>10.1f}",
        f"{whole:>10.1f}",
        f"{elements:>10.0f}",
    ]
    print(f"{count:>8} {of:>6} {kind:>7} " + " ".join(cells), flush=True)


def served_size(address: str) -> int:
    from urllib.request import urlopen

    with urlopen(address) as answer:
        return len(answer.read())


def make_shoot(out: Path, count: int, products: int = 20) -> None:
    """A finished shoot without its cost: the ledger's lines written at once, few different pictures."""
    import json
    from dataclasses import asdict

    import numpy as np
    from PIL import Image

    from lib_photoshoot.shoot.run.ledger import HEADER, Try
    from lib_photoshoot.shoot.run.pictures import placed, thumbnail_name
    from lib_photoshoot.shoot.shot_list.reading import write_shot_list

    out.mkdir()
    write_shot_list(out, [{"name": f"product {number}", "count": count // products} for number in range(products)])
    random = np.random.default_rng(0)
    pictures = []
    for _ in range(12):
        noise = random.integers(0, 256, (60, 60, 3), dtype=np.uint8)
        image = Image.fromarray(noise).resize((512, 512), Image.Resampling.BICUBIC)
        pictures.append([jpeg(image, 90), jpeg(image.resize((240, 240)), 35)])
    lines = [HEADER]
    for index in range(count):
        name, seed = f"product {index % products}", index + 1
        accepted = seed % 3 > 0
        values = asdict(
            Try(
                product=name, number=index // products, seed=seed, scene="on a sunlit marble table",
                webui="http://127.0.0.1:7860", seconds=4.2, scores=((name, seed % 97 / 97),),
                decision="accepted" if accepted else "rejected", file=placed(f"{name}/{seed}.jpg", accepted),
                why=f"found {name} 0.83; enhanced with ControlNet canny / control: v11p, sd15",
            )
        )  # fmt: skip
        del values["by_hand"]
        lines.append(json.dumps({"try": values}).encode() + b"\n")
        full, small = pictures[index % len(pictures)]
        for path, data in ((values["file"], full), (thumbnail_name(name, seed), small)):
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            (out / path).write_bytes(data)
    (out / "ledger.jsonl").write_bytes(b"".join(lines))


def make_run(out: Path, count: int, products: int = 20) -> None:
    """A finished run without its cost, every second picture with one product in it."""
    import json

    import numpy as np
    from PIL import Image

    from lib_photoshoot.catalog.inputs import RUN_PROGRAM
    from lib_photoshoot.catalog.ledger import Record
    from lib_photoshoot.journal import json_line

    random = np.random.default_rng(0)
    noise = [Image.fromarray(random.integers(0, 256, (60, 60, 3), dtype=np.uint8)) for _ in range(12)]
    small = [jpeg(image.resize((560, 560), Image.Resampling.BICUBIC), 35) for image in noise]
    full = [jpeg(image.resize((1200, 1200), Image.Resampling.BICUBIC), 60) for image in noise]
    settings = {"products": [{"name": f"product {number}"} for number in range(products)], "detector": "embedded"}
    lines = [json_line({"program": RUN_PROGRAM, "version": 1, "settings": settings})]
    for index in range(count):
        stem, name, match = f"photo {index}", f"product {index % products}", index % 2 == 0
        kinds = ("before", "after", "overlay") if match else ("before",)
        files = {f"thumbnails/{kind}/{stem}.jpg": small for kind in kinds}
        mask = f"masks/{stem}_1_{name}.png"
        if match:
            files |= dict.fromkeys((f"overlays/{stem}.png", f"enhanced/{stem}.png", mask), full)
        colour = {"before": [50, 20, 10], "after": [52, 21, 11], "delta_e": {"mean": 1.2, "p95": 2.5}}
        doubts = ["ragged"] if index % 10 == 0 else []
        region = {
            "product": name, "score": index % 97 / 97, "box": [10, 10, 300, 300], "mask": mask, "colour": colour,
            "outline": {"quality": 0.8, "doubts": doubts, "source": "model"},
        }  # fmt: skip
        entry = {
            "file": f"photos/{stem}.jpg", "width": 1200, "height": 1200, "decision": "match" if match else "skip",
            "reason": None if match else "nothing_found", "regions": [region] if match else [], "rejected": [],
            "seconds": {"detect": 0.1, "segment": 0.4},
        }  # fmt: skip
        lines.append(Record(f"/photos/{stem}.jpg", stem, 1, 1, tuple(files), entry).to_line())
        for path, choice in files.items():
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            (out / path).write_bytes(choice[index % len(choice)])
    (out / "ledger.jsonl").write_bytes(b"".join(lines))
    (out / "report.json").write_text(json.dumps({"images": [], "unreadable": []}))


def jpeg(image: Any, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


if __name__ == "__main__":
    sys.exit(main())
