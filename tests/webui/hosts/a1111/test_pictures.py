"""Files of the host's pictures: those that a script returns, and inputs of img2img that stay as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from tests.webui.hosts.a1111.conftest import ON, SIDE, bag, differing, encoded, generate, saved
from tests.webui.standin.host import StandIn


def test_what_a_script_returns_is_saved_beside_its_own_file(host: StandIn) -> None:
    host.checkpoint.pictures = {5: bag(), 6: bag(lit=False)}
    job = {"script_name": "Loopback", "script_args": [2], "init_images": [encoded(bag())], "save_images": True}
    before = generate(host, None, "img2img", **job)
    originals = saved(host, "img2img_samples")
    answer = generate(host, {**ON, "save_masks": True}, "img2img", **job)
    assert differing(before.images[0], answer.images[0]).any()
    files = [path for path in saved(host, "img2img_samples") if path not in originals]
    (filtered,) = [path for path in files if path.stem.endswith("-filtered")]
    own = filtered.with_name(f"{filtered.stem.removesuffix('-filtered')}.png")
    assert own in files and not differing(np.asarray(Image.open(own)), before.images[0]).any()
    with Image.open(filtered) as image:
        assert not differing(np.asarray(image), answer.images[0]).any()
        assert "found bag 0.90" in image.text["parameters"]
    (mask,) = [path for path in files if path.parent.name == "photoshoot-masks"]
    assert mask.name.endswith("-1-bag-mask.png")


def test_an_input_without_a_product_is_saved_as_it_came(host: StandIn) -> None:
    dark = bag(lit=False)
    settings = {**ON, "filter_input": True, "on_no_match": "move to folder"}
    for _ in range(2):
        generate(host, settings, "img2img", init_images=[encoded(dark)], batch_size=2, save_images=True)
    files = saved(host, "img2img_samples")
    assert len(files) == 2 and {path.parent.name for path in files} == {"photoshoot-skipped"}, "one for each job"
    for path in files:
        with Image.open(path) as image:
            assert not differing(np.asarray(image), np.asarray(dark)).any()
            assert "input skipped" in image.text["Product filter result"] and "parameters" not in image.text


def test_an_input_that_is_kept_replaces_no_file(host: StandIn) -> None:
    """A batch may name its results after its inputs, and its output folder may be theirs."""
    theirs = Path(host.shared.opts.outdir_img2img_samples) / "theirs.png"
    theirs.parent.mkdir(parents=True, exist_ok=True)
    theirs.write_bytes(b"as it was")
    host.script_callbacks.on_before_image_saved(lambda params: setattr(params, "filename", str(theirs)))
    settings = {**ON, "filter_input": True, "on_no_match": "keep untouched"}
    generate(host, settings, "img2img", init_images=[encoded(bag(lit=False))], save_images=True)
    assert theirs.read_bytes() == b"as it was"
    assert theirs.with_name("theirs-1.png") in saved(host, "img2img_samples")
    assert host.shared.opts.save_images_replace_action == "Replace", "for that file alone"


def test_an_input_is_brought_to_the_size_of_what_is_made_of_it(host: StandIn) -> None:
    from types import SimpleNamespace

    from lib_photoshoot.webui.hosts.a1111.pictures import photo_of

    image, small = Image.new("RGB", (SIDE, SIDE)), Image.new("RGBA", (40, 20), (200, 10, 10, 255))
    p = SimpleNamespace(init_images=[small, image], resize_mode=3)
    assert photo_of(p, 1, image) is image, "as large already"
    for index in (0, 5):
        photo = photo_of(p, index, image)
        assert photo is not None and (photo.size, photo.mode) == ((SIDE, SIDE), "RGB")
        assert photo.getpixel((50, 50)) == (200, 10, 10)
    assert photo_of(SimpleNamespace(), 0, image) is None


def test_cut_outs_are_saved_also_where_the_host_makes_no_text(host: StandIn) -> None:
    host.checkpoint.pictures = {5: bag()}
    host.shared.opts.data["enable_pnginfo"] = False
    generate(host, {**ON, "save_cutouts": True}, save_images=True)
    (cut_out,) = [path for path in saved(host, "txt2img_samples") if path.parent.name == "photoshoot-masks"]
    with Image.open(cut_out) as image:
        assert image.mode == "RGBA" and "parameters" not in image.text
