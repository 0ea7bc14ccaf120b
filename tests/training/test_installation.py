import dataclasses
import hashlib
import http.server
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.training.trainer import installation, probe, sd_scripts
from lib_photoshoot.training.trainer.environment import (
    PINNED_COMMIT,
    TOKENIZER_FILES,
    TOKENIZER_FOLDER,
    find_own,
    has_tokenizer,
    inspect,
)
from lib_photoshoot.training.trainer.installation import (
    InstallationPlan,
    install,
    is_installed,
    nvidia_capability,
    plan_for_this_machine,
)

METHODS = "".join(f"    def {name}(self): pass\n" for name in probe.HOOKED)
SOURCE = {
    "train_network.py": f"class NetworkTrainer:\n{METHODS}",
    "networks/lora.py": "",
    "library/train_util.py": "",
    "README.md": "Version 0.10.1",
    # What is not for us would fail the installation, as nothing of it can be had.
    "requirements.txt": "# packages\nfake-rest==1.0\nbitsandbytes\n-e .\n",
}
TRANSFORMERS = f"""
import os
class CLIPTokenizer:
    def from_pretrained(name): return CLIPTokenizer()
    def save_pretrained(self, folder):
        os.makedirs(folder)
        for name in {TOKENIZER_FILES!r}:
            open(os.path.join(folder, name), "w").close()
"""


def make_wheel(folder, name, modules):
    """A wheel of single-file modules, by their texts."""
    info = f"{name.replace('-', '_')}-1.0"
    with zipfile.ZipFile(folder / f"{info}-py3-none-any.whl", "w") as wheel:
        for module, text in modules.items():
            wheel.writestr(f"{module}.py", text)
        wheel.writestr(f"{info}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(f"{info}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}.dist-info/RECORD", "")


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """sd-scripts as a folder and as an archive, and wheels that need no network."""
    folder = tmp_path_factory.mktemp("shop")
    for name, text in SOURCE.items():
        (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "source" / name).write_text(text)
    with zipfile.ZipFile(folder / "source.zip", "w") as archive:
        for name, text in SOURCE.items():
            archive.writestr(f"sd-scripts-{PINNED_COMMIT}/{name}", text)
    make_wheel(
        folder, "fake-torch", {"torch": "class cuda:\n    def is_available(): return False\n", "torchvision": ""}
    )
    rest = {module: "" for module in probe.REQUIRED if not module.startswith("torch")}
    make_wheel(folder, "fake-rest", {**rest, "transformers": TRANSFORMERS})
    return folder


@pytest.fixture(scope="module")
def plan(shop):
    return InstallationPlan(torch=("fake-torch==1.0",), space=1, pip_options=("--no-index", "--find-links", str(shop)))


@pytest.fixture(scope="module")
def installed(shop, plan, tmp_path_factory):
    """A finished installation, what was said of it, and its home."""
    home, said = tmp_path_factory.mktemp("an installed ü") / "trainer", []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_TARGET", str(home.parent / "elsewhere"))
        patch.setenv("PYTHONPATH", str(home.parent / "elsewhere"))
        result = install(home, lambda text, share: said.append((text, share)), plan=plan, source=shop / "source.zip")
    return home, said, result


def sentence(call, *arguments, **more):
    with pytest.raises(TrainingError) as caught:
        call(*arguments, **more)
    text = str(caught.value)
    assert text.endswith(".") and "\n" not in text
    return text


def silent(text, share):
    pass


def test_the_trainer_is_installed_in_its_own_folder_only(installed):
    home, _, (environment, capabilities) = installed
    assert environment == find_own(home) and environment.python.is_file()
    assert capabilities.versions["torch"] == "unknown" and not capabilities.cuda
    assert not (home.parent / "elsewhere").exists()
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        importlib.metadata.version("fake-torch")
    assert is_installed(home)
    assert has_tokenizer(home / "tokenizers") and environment.tokenizer == home / "tokenizers"
    assert sorted(path.name for path in home.iterdir() if path.name[0] != ".") == ["sd-scripts", "tokenizers", "venv"]


def test_progress_never_goes_back_and_shows_what_pip_does(installed):
    _, said, _ = installed
    shares = [share for _, share in said if share is not None]
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert any(text.startswith("Successfully installed") and "fake-rest-1.0" in text for text, _ in said)


def test_installing_again_does_nothing(installed, plan, monkeypatch):
    home, _, _ = installed
    monkeypatch.setattr(installation, "_run", lambda *arguments: pytest.fail("something was run"))
    assert install(home, silent, plan=plan)[0] == find_own(home)


def test_a_broken_trainer_is_mended(installed, shop, plan):
    home, _, (environment, _) = installed
    (broken,) = (home / "venv").rglob("toml.py")
    broken.unlink()
    assert "repairs the trainer" in sentence(inspect, environment)
    install(home, silent, plan=plan, source=shop / "source")
    assert inspect(environment)


def test_what_works_is_left_alone_until_it_is_wanted_again(installed, plan, shop):
    home, _, _ = installed
    mark = home / "venv" / "mark"
    mark.write_text("")
    other = dataclasses.replace(plan, space=plan.space + 1)  # as when an index does not answer today
    install(home, silent, plan=other, source=shop / "source")
    assert mark.exists()
    install(home, silent, plan=other, source=shop / "source", again=True)
    assert not mark.exists() and is_installed(home)


def test_a_broken_off_installation_is_begun_anew(shop, plan, tmp_path):
    class Closed(Exception):
        pass

    def close_the_window(text, share):
        if text.startswith("Installing collected packages"):
            raise Closed

    with pytest.raises(Closed):
        install(tmp_path, close_the_window, plan=plan, source=shop / "source")
    assert not is_installed(tmp_path)
    (tmp_path / "venv" / "half").write_text("")
    install(tmp_path, silent, plan=plan, source=shop / "source")
    assert is_installed(tmp_path) and not (tmp_path / "venv" / "half").exists()


def test_what_pip_says_is_told_when_it_fails(installed, plan):
    home, _, (environment, _) = installed
    text = sentence(installation._pip, environment, ["fake-torch==2.0"], plan, lambda line: None)
    assert "No matching distribution found for fake-torch==2.0" in text and f"{home}" in text


def test_a_program_does_not_outlive_the_one_who_listens(tmp_path):
    code = "import os, subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'])"
    pids = []

    def hear(line):
        pids.extend(map(int, line.split()))
        raise KeyboardInterrupt

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        installation._run([sys.executable, "-c", f"{code}; print(os.getpid(), p.pid, flush=True); p.wait()"], hear)
    assert time.monotonic() - begun < 30
    assert len(pids) == 2
    if os.name == "posix":
        for _ in range(50):  # the grandchild is the system's to bury
            gone = [pid for pid in pids if not _runs(pid)]
            if len(gone) == 2:
                break
            time.sleep(0.1)
        assert gone == pids


def _runs(pid):
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_two_installations_at_once(plan, shop, tmp_path):
    with installation._lock(tmp_path):
        text = sentence(install, tmp_path, silent, plan=plan, source=shop / "source")
    assert "being installed" in text and not (tmp_path / "venv").exists()


def test_a_full_disk_is_seen_before_anything_is_done(shop, tmp_path):
    text = sentence(install, tmp_path, silent, plan=InstallationPlan(space=10**18), source=shop / "source")
    assert "needs 1000000000.0 GB" in text and not (tmp_path / "sd-scripts").exists()


def test_what_is_replaced_makes_room(tmp_path, monkeypatch):
    (tmp_path / "venv" / "lib").mkdir(parents=True)
    (tmp_path / "venv" / "lib" / "torch").write_bytes(bytes(1 << 20))
    monkeypatch.setattr(installation.shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(10, 5, 5))
    installation._need_space(tmp_path, 1 << 20)
    assert "free some space" in sentence(installation._need_space, tmp_path, 1 << 22)


def test_a_home_that_cannot_be(shop, plan, tmp_path):
    (tmp_path / "file").write_text("")
    text = sentence(install, tmp_path / "file" / "home", silent, plan=plan, source=shop / "source")
    assert "cannot be installed in" in text


def test_pip_is_not_run_for_any_other_python(tmp_path, plan, monkeypatch):
    environment = find_own(tmp_path)
    environment.python.parent.mkdir(parents=True)
    environment.python.symlink_to(sys.executable)  # no venv: it installs into its own prefix
    monkeypatch.setattr(installation, "_run", lambda *arguments: pytest.fail("pip was run"))
    assert "nothing was installed" in sentence(installation._pip, environment, ["x"], plan, lambda line: None)


@pytest.mark.skipif(os.name != "posix", reason="a shell script stands in")
@pytest.mark.parametrize(
    ("script", "words"),
    [("echo 3 9", "is Python 3.9"), ("echo 3 14", "is Python 3.14"), ("exit 1", "cannot be started")],
)
def test_a_python_that_will_not_do(shop, plan, tmp_path, script, words):
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    home = tmp_path / "home"
    assert words in sentence(install, home, silent, plan=plan, source=shop / "source", python=python)


@pytest.mark.skipif(os.name != "posix", reason="a shell script stands in")
def test_a_python_without_venv(shop, plan, tmp_path):
    python = tmp_path / "python"
    python.write_text(
        '#!/bin/sh\n[ "$1" = -c ] && echo 3 11 && exit\necho "Error: ensurepip is not available"\nexit 1\n'
    )
    python.chmod(0o755)
    text = sentence(install, tmp_path / "home", silent, plan=plan, source=shop / "source", python=python)
    assert "cannot make a virtual environment" in text and "ensurepip is not available" in text


def test_a_source_that_is_not_sd_scripts(plan, tmp_path):
    (tmp_path / "other").mkdir()
    assert "not sd-scripts" in sentence(install, tmp_path / "home", silent, plan=plan, source=tmp_path / "other")
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 half")
    assert "no whole .zip" in sentence(install, tmp_path / "home", silent, plan=plan, source=tmp_path / "a.zip")
    missing = tmp_path / "none.zip"
    assert "cannot be installed" in sentence(install, tmp_path / "home", silent, plan=plan, source=missing)
    assert not list((tmp_path / "home").glob("*sd-scripts*"))


def test_sd_scripts_is_downloaded(shop, tmp_path, monkeypatch):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            good = self.path == "/archive.zip"
            self.send_response(200 if good else 404)
            self.end_headers()
            self.wfile.write((shop / "source.zip").read_bytes() if good else b"")

        def log_message(self, *arguments):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        monkeypatch.setattr(sd_scripts, "ARCHIVE", f"{address}/archive.zip")
        changed = sentence(sd_scripts.get_sd_scripts, tmp_path / "sd-scripts", None, silent)
        assert "is not the sd-scripts that" in changed and not list(tmp_path.iterdir())
        monkeypatch.setattr(sd_scripts, "ARCHIVE_DIGEST", sd_scripts.digest_of(shop / "source"))
        sd_scripts.get_sd_scripts(tmp_path / "sd-scripts", None, silent)
        monkeypatch.setattr(sd_scripts, "ARCHIVE", f"{address}/none.zip")
        text = sentence(sd_scripts.get_sd_scripts, tmp_path / "sd-scripts", None, silent)
    finally:
        server.shutdown()
        server.server_close()
    assert (tmp_path / "sd-scripts" / "train_network.py").read_text() == SOURCE["train_network.py"]
    assert [path.name for path in tmp_path.iterdir()] == ["sd-scripts"]
    assert "could not be downloaded" in text and "Not Found" in text


def test_the_digest_of_files_is_that_of_gits_own_listing(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "hello.txt").write_bytes(b"hello\n")
    (tmp_path / "empty").touch()
    # As `git hash-object` prints them.
    listed = "b/hello.txt ce013625030ba8dba906f756967f9e9ca394464a\nempty e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    assert sd_scripts.digest_of(tmp_path) == hashlib.sha256(listed.encode()).hexdigest()


def test_the_archive_is_the_pinned_commit():
    assert PINNED_COMMIT in sd_scripts.ARCHIVE and sd_scripts.ARCHIVE.startswith("https://")


@pytest.mark.skipif(os.name != "posix", reason="a shell script stands in")
@pytest.mark.parametrize(
    ("answer", "capability", "torch", "index"),
    [
        ("echo 8.9", 8.9, "torch==2.6.0", "/cu124"),
        ("echo 12.0; echo 8.6", 8.6, "torch==2.6.0", "/cu124"),
        ("echo 12.0", 12.0, "torch==2.8.0", "/cu128"),
        ("echo 'Field \"compute_cap\" is not a valid field to query.'; exit 2", 0.0, "torch==2.6.0", "/cu124"),
    ],
)
def test_the_build_of_torch_follows_the_gpu(tmp_path, monkeypatch, answer, capability, torch, index):
    (tmp_path / "nvidia-smi").write_text(f"#!/bin/sh\n{answer}\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert nvidia_capability() == capability
    found = plan_for_this_machine()
    assert found.torch[0] == torch and found.index.endswith(index) and found.bitsandbytes
    assert plan_for_this_machine(index="").index == ""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the CPU builds of other systems are the registry's")
@pytest.mark.parametrize("answers", [True, False])
def test_without_a_gpu_the_small_build_is_taken_where_it_can_be_had(tmp_path, monkeypatch, answers):
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\necho 'NVIDIA-SMI has failed: no driver'\nexit 9\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(installation, "_answers", lambda address: answers)
    found = plan_for_this_machine()
    assert found.index.endswith("/cpu") if answers else found.index == ""
    assert not found.bitsandbytes
    assert (found.space < InstallationPlan().space) is answers


def test_torch_from_an_own_index_comes_without_what_it_needs(plan, tmp_path, monkeypatch):
    calls = []
    environment = find_own(tmp_path)
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    environment.sd_scripts.mkdir()
    (environment.sd_scripts / "requirements.txt").write_text(SOURCE["requirements.txt"])
    monkeypatch.setattr(installation, "_pip", lambda environment, arguments, plan, tell: calls.append(arguments))
    installation._install_packages(environment, InstallationPlan(index="address", bitsandbytes=True), silent)
    requirements = tmp_path / "venv" / "requirements.txt"
    assert calls == [
        ["--index-url", "address", "--no-deps", *InstallationPlan.torch],
        [*InstallationPlan.torch, "-r", str(requirements)],
    ]
    assert requirements.read_text().split("\n") == ["# packages", "fake-rest==1.0", "bitsandbytes", ""]


def test_the_registry_that_the_webui_was_told_is_used(plan, tmp_path, monkeypatch):
    commands = []
    monkeypatch.setenv("INDEX_URL", "https://registry.invalid/simple")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    monkeypatch.setattr(installation, "_run", lambda command, tell: commands.append(command) or (0, []))
    installation._pip(find_own(tmp_path), ["x"], plan, lambda line: None)
    installation._pip(find_own(tmp_path), ["--index-url", "other", "x"], plan, lambda line: None)
    first, second = commands
    assert first[first.index("--index-url") + 1] == "https://registry.invalid/simple"
    assert second.count("--index-url") == 1 and "other" in second


def test_a_stamp_that_cannot_be_read_is_none(tmp_path):
    (tmp_path / "venv").mkdir()
    stamp = tmp_path / "venv" / installation.STAMP
    for text in ("{", "[]", json.dumps({"commit": "another"})):
        stamp.write_text(text)
        assert not is_installed(tmp_path)
    assert TOKENIZER_FOLDER == "openai_clip-vit-large-patch14"
