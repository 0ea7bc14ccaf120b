"""Is the article's colour the same in everything that a default run makes of a file? Drawn articles, all spaces.

    python benchmarks/colour_articles.py [ARTICLE ...] [--json FIGURES.json]

Articles of known colours with texture and shading are written as sRGB, Display P3, Adobe RGB, ProPhoto, CMYK and, where
they are neutral, grey; as JPEG, PNG, WebP and TIFF, with 8 and 16 bits where the format can. `filter` and `export` run
over them as from a command line with all defaults, and the HTTP API is asked; only where the article lies is known
beforehand, in place of the models. The file and all that was made of it are read by LittleCMS (8 bits) or
colour-science (16 bits), and compared over the article's pixels, the report's thumbnails over means of 8 x 8 pixels.
CMYK needs Debian's package libgs-common or icc-profiles-free. Exits with 1 where a limit is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.colour.article_run import Found, measured  # noqa: E402
from tests.colour.drawn_articles import ARTICLES, cases, cmyk_profile  # noqa: E402


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("articles", nargs="*", metavar="ARTICLE", help=f"of {', '.join(ARTICLES)}; all by default")
    options.add_argument("--json", type=Path, help="write all figures to this file")
    given = options.parse_args()
    unknown = sorted(set(given.articles) - set(ARTICLES))
    if unknown:
        options.error(f"there is no article {unknown[0]!r}")

    wanted = list(cases(given.articles or tuple(ARTICLES)))
    with tempfile.TemporaryDirectory() as folder:
        found = list(measured(wanted, Path(folder) / "work"))
    if given.json:
        given.json.write_text(json.dumps([asdict(one.case) | asdict(one) | {"case": None} for one in found], indent=1))
    for title, key in (("output", _output), ("space", _space), ("file", _file), ("article", _article)):
        _print_table(title, found, key)
    missed = [one for one in found if one.missed]
    for one in missed:
        print(f"missed: {one.case.stem}, {one.output}: mean {one.mean:.2f}, 95th percentile {one.percentile_95:.2f}")
    left_out = "" if cmyk_profile() else "; CMYK left out, no press profile on this machine"
    print(f"{len(wanted)} files, {len(found)} comparisons, {len(missed)} beyond a limit{left_out}")
    return 1 if missed else 0


def _output(found: Found) -> str:
    return found.output


def _space(found: Found) -> str:
    return found.case.space


def _file(found: Found) -> str:
    return f"{found.case.format_}, {found.case.bits} bits"


def _article(found: Found) -> str:
    return found.case.article


def _print_table(title: str, found: Sequence[Found], key: Callable[[Found], str]) -> None:
    print(f"{title:20}{'n':>6}{'mean':>8}{'worst':>8}{'worst 95th':>12}  worst file")
    for name in dict.fromkeys(map(key, found)):
        rows = [one for one in found if key(one) == name]
        worst = max(rows, key=lambda one: one.mean)
        mean, high = sum(one.mean for one in rows) / len(rows), max(one.percentile_95 for one in rows)
        print(f"{name:20}{len(rows):6}{mean:8.2f}{worst.mean:8.2f}{high:12.2f}  {worst.case.stem}")
    print()


if __name__ == "__main__":
    sys.exit(main())
