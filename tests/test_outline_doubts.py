"""Doubts about outlines, wherever a person or a program reads a run: report, ranking, exports, finish, WebUI, API."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from lib_photoshoot.catalog.inputs import collect_inputs
from lib_photoshoot.catalog.ledger import LEDGER_NAME
from lib_photoshoot.catalog.report import what_to_check
from lib_photoshoot.catalog.runner import run_catalog
from lib_photoshoot.cli.main import app
from lib_photoshoot.export.checking import check_bytes
from lib_photoshoot.export.profile import Aspect, load_profile
from lib_photoshoot.products import Product
from lib_photoshoot.ranking.order import rank
from lib_photoshoot.ranking.run_folder import measure, read_candidates, read_cutout
from lib_photoshoot.results import Decision, Doubt, FilterResult, Outline, OutlineSource, ProductRegion
from lib_photoshoot.shoot.run.verdict import is_accepted
from lib_photoshoot.verdict import Done, Verdict, found_products
from lib_photoshoot.webui.generate.job import _to_check
from tests.pages import read_page

LAMP = Product("lamp")


class Doubting:
    """Finds a lamp in every picture; its outline is doubtful where the picture's left upper pixel is white."""

    def run(self, image, products, space=None):
        mask = np.zeros(image.shape[:2], bool)
        mask[20:80, 30:70] = True
        doubts = (Doubt.VIEWS_DISAGREE, Doubt.RAGGED) if image[0, 0, 0] > 200 else ()
        region = ProductRegion(
            "lamp",
            (30, 20, 70, 80),
            0.95 if doubts else 0.5,
            mask,
            0.95,
            alpha=mask * np.uint8(255),
            outline=Outline(0.9, doubts),
        )
        return FilterResult(image.shape[1], image.shape[0], Decision.MATCH, None, (region,), (), image, 0, {})

    detect = run


@pytest.fixture
def run(tmp_path):
    """A filter run over a sure picture and a doubtful one; the doubtful one scores better."""
    photos = tmp_path / "photos"
    photos.mkdir()
    random = np.random.default_rng(3)
    for name, contrast in (("sure", 2), ("doubtful", 40)):
        pixels = np.full((100, 100, 3), 60, np.uint8)
        if name == "doubtful":  # so that the two are no near-duplicates
            pixels[:] = 120 - np.arange(100)[:, None]
        pixels[20:80, 30:70] = 128 + random.integers(-contrast, contrast, (60, 40, 3))
        pixels[0, 0] = 255 if name == "doubtful" else 0
        Image.fromarray(pixels).save(photos / f"{name}.png")
    out = tmp_path / "run"
    run_catalog(Doubting(), collect_inputs([photos]), [LAMP], out)
    return out


def test_the_reports_have_them(run):
    entries = {e["file"].rpartition("/")[2]: e for e in json.loads((run / "report.json").read_text())["images"]}
    outline = entries["doubtful.png"]["regions"][0]["outline"]
    assert outline == {"quality": 0.9, "doubts": ["views_disagree", "ragged"], "source": "model"}
    assert entries["sure.png"]["regions"][0]["outline"]["doubts"] == []
    rows = list(csv.DictReader(io.StringIO((run / "report.csv").read_text())))
    assert {row["doubts"] for row in rows} == {"", "views_disagree ragged"}
    page = read_page((run / "report.html").read_text())
    assert page.words.count("Check the outline: independent views see other outlines; the edge is ragged") == 1
    assert "To check" in page.words and [item["check"] for item in page.items] == [True, False]


def test_a_doubtful_outline_is_never_ranked_above_a_sure_one(run):
    candidates = read_candidates(run)
    ranked = rank([measure(run, candidate) for candidate in candidates], near=0)
    assert ["sure" in item.measured.file for item in ranked] == [True, False]
    assert ranked[1].total > ranked[0].total, "by its qualities alone it would be first"
    shown = CliRunner().invoke(app, ["rank", str(run)])
    assert "check the outline: independent views see other outlines" in shown.output
    as_json = json.loads(CliRunner().invoke(app, ["rank", str(run), "--json"]).output)
    assert [item["doubts"] for item in as_json["lamp"]] == [[], ["views_disagree", "ragged"]]


def test_doubtful_exports_go_beside_the_others_and_are_counted(run, tmp_path):
    out = tmp_path / "shop"
    cutouts = [str(path) for path in sorted((run / "cutouts").iterdir())]
    done = CliRunner().invoke(app, ["export", *cutouts, "--profile", "shopify", "--out", str(out), "--enlarge", "16"])
    assert done.exit_code == 1
    assert len(list(out.glob("sure*"))) == 1 and not list(out.glob("doubtful*"))
    assert len(list((out / "to-check").glob("doubtful*"))) == 1
    assert "check the outline: independent views see other outlines" in done.output
    assert "1 of the pictures went into" in done.output


def test_a_run_without_its_report_keeps_its_doubts(run, tmp_path):
    """As of one that was interrupted: the ledger has them from the first picture on."""
    (run / "report.json").unlink()
    out = tmp_path / "shop"
    done = CliRunner().invoke(app, ["export", str(run), "--profile", "shopify", "--out", str(out), "--enlarge", "16"])
    assert done.exit_code == 1 and not list(out.glob("doubtful*"))
    assert len(list((out / "to-check").glob("doubtful*"))) == 1


def test_sure_exports_end_well(run, tmp_path):
    sure = next((run / "cutouts").glob("sure*"))
    done = CliRunner().invoke(
        app, ["export", str(sure), "--profile", "shopify", "--out", str(tmp_path / "shop"), "--enlarge", "16"]
    )
    assert done.exit_code == 0 and "to-check" not in done.output, done.output


def test_a_cut_out_is_exported_with_the_alpha_that_the_outliner_gave_it(run):
    (candidate, _) = read_candidates(run)
    picture = read_cutout(run, candidate)
    assert picture is not None and candidate.cutouts_at == ((26, 16),)
    assert (picture.width, picture.height) == (48, 68)
    assert np.array_equal(picture.alpha[4:-4, 4:-4], np.full((60, 40), 255))


def test_two_cut_outs_of_one_picture_are_put_together_where_they_lay(run):
    (candidate, other) = read_candidates(run)
    both = type(candidate)(
        "lamp", candidate.picture, candidate.masks + other.masks, 0.9, 0.9, (), ((26, 16), (126, 36))
    )
    picture = read_cutout(run, both)
    assert (picture.width, picture.height) == (148, 88)
    assert picture.alpha[10, 10] == 255 and picture.alpha[30, 110] == 255 and picture.alpha[30, 70] == 0


def test_an_outline_drawn_by_hand_is_never_drawn_again(run, tmp_path):
    """Files that are gone do not bring the filter back to it; where the source is another picture, it is set aside."""
    ledger = run / LEDGER_NAME
    drawn = ledger.read_text().replace('"source":"model"', f'"source":"{OutlineSource.HAND.value}"')
    ledger.write_text(drawn)
    mask = next((run / "masks").glob("sure*"))
    mask.write_bytes(b"drawn by hand")
    next((run / "cutouts").glob("sure*")).unlink()
    photo = tmp_path / "photos" / "sure.png"
    summary = run_catalog(Doubting(), collect_inputs([tmp_path / "photos"]), [LAMP], run, resume=True)
    assert summary.resumed == 2 and mask.read_bytes() == b"drawn by hand"
    Image.new("RGB", (200, 120), (9, 9, 9)).save(photo)
    summary = run_catalog(Doubting(), collect_inputs([tmp_path / "photos"]), [LAMP], run, resume=True)
    assert summary.resumed == 1 and "corrections by hand of 1 picture" in summary.notes[0]
    assert (run / "withdrawn" / "masks" / mask.name).read_bytes() == b"drawn by hand" != mask.read_bytes()


@pytest.mark.parametrize(("step", "found"), [(0, False), (7, True)])
def test_check_export_sees_a_ragged_edge_in_a_finished_picture(step, found):
    pixels = np.full((1200, 1200, 3), 255, np.uint8)
    pixels[120:1080, 120:1080] = 90
    if step:
        for at in range(120, 1080, 2 * step):
            pixels[at : at + step, 60:120] = 90
            pixels[at : at + step, 1080:1140] = 90
            pixels[60:120, at : at + step] = 90
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG")
    check = check_bytes(data.getvalue(), load_profile("amazon-main"), "a.png")
    assert any(finding.aspect is Aspect.OUTLINE for finding in check.findings) == found


def test_the_webuis_summary_says_what_to_check_and_shoots_still_read_it():
    picture = np.full((100, 100, 3), 255, np.uint8)
    text = _to_check(Doubting().run(picture, [LAMP]))
    expected = "; check the outline of lamp: independent views see other outlines + the edge is ragged or not clear"
    assert text == expected and "," not in text
    (product,) = found_products(Doubting().run(picture, [LAMP]).regions)
    verdict = Verdict(Done.ENHANCED, f"found lamp 0.95; enhanced with retouch{text}", Decision.MATCH, None, (product,))
    read = Verdict.from_json(verdict.to_json())
    assert read == verdict and is_accepted(read, "enhance") and read.products[0].doubts == product.doubts != ()
    assert _to_check(Doubting().run(picture * 0, [LAMP])) == ""


def test_what_is_perhaps_another_product_is_to_be_looked_at_as_a_product():
    picture = np.full((100, 100, 3), 255, np.uint8)
    result = Doubting().run(picture, [LAMP])
    (region,) = result.regions
    perhaps = replace(region, outline=region.outline.with_doubt(Doubt.PERHAPS_ANOTHER))
    one, *others = _to_check(replace(result, regions=(perhaps,))).split("; check ")[1:]
    assert one == "the product lamp: of the kind that the examples show perhaps not this product"
    assert others == ["the outline of lamp: independent views see other outlines + the edge is ragged or not clear"]
    one, *others = what_to_check([d.value for d in perhaps.outline.doubts], which=" of 1 lamp").split("; check ")
    assert one == "the product of 1 lamp: of the kind that the examples show, perhaps not this product"
    assert others == ["the outline of 1 lamp: independent views see other outlines, the edge is ragged or not clear"]
    assert what_to_check([]) == "" and region.outline.with_doubt(None) is region.outline
