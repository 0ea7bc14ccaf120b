"""The article's colour in all that a default run makes of a file: one colour in every space, format and depth.

`benchmarks/colour_articles.py` does the same for all colours.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.colour.article_run import measured
from tests.colour.drawn_articles import ARTICLES, Case, cases, file_of, mask, read_lab


def test_colours_stay_in_every_space_format_and_depth(tmp_path: Path) -> None:
    found = list(measured(list(cases(["taupe"])), tmp_path / "work"))
    assert {one.output for one in found} > {"enhanced", "cutouts", "export", "API", "report's pictures"}
    assert not [one for one in found if one.missed]


def test_the_reader_sees_what_was_drawn() -> None:
    for space, bits, off in (("ProPhoto", 16, 0.1), ("Adobe RGB", 8, 0.6), ("grey", 16, 0.1)):
        article = "grey" if space == "grey" else "gold"
        seen = read_lab(file_of(Case(article, space, "PNG", bits)))[mask()].mean(axis=0)
        assert np.abs(seen[1:] - ARTICLES[article][1:]).max() < off and abs(seen[0] - ARTICLES[article][0]) < 4
