"""What install.py adds to the WebUI's Python, says, and leaves alone: against a scripted pip and a real one."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from lib_photoshoot.webui.hosts import requirements
from lib_photoshoot.webui.hosts.requirements import NEVER, PACKAGES

ROOT = Path(__file__).resolve().parent.parent
HOST = {"torch": "2.1.2+cu121", "torchvision": "0.16.2", "numpy": "1.26.2", "pillow": "9.5.0", "six": "1.16.0"}
MODULES = {package.module for package in PACKAGES}


class FakePip:
    """Notes what pip is called with; answers from ``outputs``, by requirement name, and else with success."""

    def __init__(self, outputs: dict[str, str | Exception] | None = None):
        self.outputs = outputs or {}
        self.calls: list[list[str]] = []
        self.constraints = ""

    def __call__(self, arguments: Sequence[str], folder: Path) -> tuple[int, str]:
        self.calls.append(list(arguments))
        self.constraints = Path(arguments[arguments.index("--constraint") + 1]).read_text()
        output = next((text for name, text in self.outputs.items() if arguments[-1].startswith(name)), None)
        if isinstance(output, Exception):
            raise output
        return (0, "done") if output is None else (1, output)

    @property
    def asked(self) -> list[str]:
        return [call[-1] for call in self.calls]


@pytest.fixture
def host(monkeypatch) -> Callable[..., None]:
    """Pretends that the WebUI's Python finds these modules (pip besides) and distributions, before and after pip."""
    monkeypatch.delenv("COMMANDLINE_ARGS", raising=False)
    monkeypatch.delenv("INDEX_URL", raising=False)

    def pretend(modules=(), before=HOST, after=None, pip=True):
        found = {*modules, "pip"} if pip else set(modules)
        states = [before, before if after is None else after]
        monkeypatch.setattr(requirements, "_found", lambda module: module in found)
        monkeypatch.setattr(requirements, "installed", lambda: states.pop(0))

    return pretend


def lines(capsys) -> list[str]:
    out, err = capsys.readouterr()
    assert not err
    assert all(line.startswith("Product Photoshoot: ") for line in out.splitlines())
    return [line.removeprefix("Product Photoshoot: ") for line in out.splitlines()]


def test_what_is_missing_is_installed_with_a_line_each(host, capsys):
    host(modules={"cv2", "onnxruntime", "safetensors", "timm"})
    pip = FakePip()
    requirements.install(pip)
    assert pip.asked == [
        "segment-anything==1.0",
        "scipy>=1.9,<2",
        "colour-science>=0.4.3,<0.5",
        "groundingdino-py==0.4.0",
        "addict>=2.4",
        "yapf>=0.40",
    ]
    assert lines(capsys) == [
        "installing segment-anything 1.0",
        "installing scipy",
        "installing colour-science",
        "installing groundingdino-py 0.4.0",
        "installing addict",
        "installing yapf",
    ]


def test_nothing_is_done_or_said_where_nothing_is_missing(host, capsys):
    host(modules=MODULES)
    pip = FakePip()
    requirements.install(pip)
    assert not pip.calls and not lines(capsys)
    assert requirements.missing() == ((), "")


def test_the_two_with_wild_requirements_come_without_them_and_nothing_else_is_built(host, capsys):
    host()
    pip = FakePip()
    requirements.install(pip)
    assert len(pip.calls) == len(PACKAGES)
    for call in pip.calls:
        alone = call[-1].startswith(("segment-anything==", "groundingdino-py=="))
        assert ("--no-deps" in call) == alone
        assert ("--only-binary" in call) == (not call[-1].startswith("groundingdino-py"))
        assert not {"--upgrade", "-U", "--force-reinstall", "uninstall"} & set(call)
        assert "--no-input" in call and "--prefer-binary" in call


def test_the_hosts_own_packages_are_never_asked_for_and_kept_out_where_absent(host):
    assert not {package.name for package in PACKAGES} & set(NEVER)
    host(before={"numpy": "1.26.2"})
    pip = FakePip()
    requirements.install(pip)
    assert "torch<0" in pip.constraints.split() and "numpy==1.26.2" in pip.constraints.split()


def test_every_installed_version_is_a_constraint():
    versions = {
        "torch": "2.1.2+cu121",
        "clean-fid": "0.1.35",
        "xformers": "0.0.23.post1",
        "ours": "0.1.dev3+g1a2b3c4.d20260101",
        "old": "2.0-custom-build",
        "spaced": "1.0 (broken)",
        "~umpy": "1.0",
    }
    wanted = """\
clean-fid==0.1.35
old===2.0-custom-build
ours==0.1.dev3+g1a2b3c4.d20260101
torch==2.1.2+cu121
xformers==0.0.23.post1
"""
    absent = "".join(f"{name}<0\n" for name in NEVER if name != "torch")
    assert requirements.constraints(versions) == wanted + absent


def test_installed_versions_are_those_that_pip_sees(tmp_path, monkeypatch):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, name, metadata in [
        (first, "Some.Thing-1.0.dist-info", "Name: Some.Thing\nVersion: 1.0\n"),
        (second, "some_thing-2.0.dist-info", "Name: some_thing\nVersion: 2.0\n"),  # hidden by the first
        (first, "~umpyx-1.0.dist-info", "Name: numpyx\nVersion: 1.0\n"),  # left by a stopped pip
        (first, "empty-1.0.dist-info", None),
        (first, "nameless-1.0.dist-info", "Version: 1.0\n"),
    ]:
        (folder / name).mkdir(parents=True)
        if metadata is not None:
            (folder / name / "METADATA").write_text("Metadata-Version: 2.1\n" + metadata)
    (second / "editable.egg-info").mkdir()
    (second / "editable.egg-info" / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: editable\nVersion: 3.0\n")
    monkeypatch.setattr(sys, "path", [str(first), str(second)])
    assert requirements.installed() == {"some-thing": "1.0", "editable": "3.0"}


@pytest.mark.parametrize("opencv", ["opencv-python", "opencv-python-headless", "opencv-contrib-python"])
def test_no_opencv_is_put_beside_another(host, capsys, opencv):
    host(modules=MODULES - {"cv2"}, before={**HOST, opencv: "4.9.0.80"})
    pip = FakePip()
    requirements.install(pip)
    assert not pip.calls
    assert lines(capsys) == [f"{opencv} is installed but Python finds no cv2; reinstall {opencv}"]


def test_a_wrong_version_is_accepted(host, capsys):
    host(modules=MODULES, before={**HOST, "segment-anything": "0.1"})
    pip = FakePip()
    requirements.install(pip)
    assert not pip.calls and not lines(capsys)


def test_found_means_code_and_imports_nothing(tmp_path, monkeypatch):
    (tmp_path / "left_by_an_uninstall").mkdir()
    (tmp_path / "whole").mkdir()
    (tmp_path / "whole" / "__init__.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    assert requirements._found("whole")
    assert not requirements._found("left_by_an_uninstall")
    assert not requirements._found("nowhere_at_all")


@pytest.mark.parametrize("where", ["argv", "environment"])
def test_skip_install_is_honoured(host, capsys, monkeypatch, where):
    host(modules=MODULES - {"timm", "yapf"})
    if where == "argv":
        monkeypatch.setattr(sys, "argv", ["install.py", "--skip-install"])
    else:
        monkeypatch.setenv("COMMANDLINE_ARGS", "--api --skip-install --port '7860'")
    pip = FakePip()
    requirements.install(pip)
    assert not pip.calls
    assert lines(capsys) == ["not installed, as --skip-install is set: yapf, timm"]


def test_without_pip_one_line(host, capsys):
    host(modules=MODULES - {"timm", "yapf"}, pip=False)
    requirements.install(FakePip())
    assert lines(capsys) == ["not installed, as this Python has no pip: yapf, timm"]


def test_the_webuis_index_is_used(host, monkeypatch):
    host(modules=MODULES - {"addict"})
    monkeypatch.setenv("INDEX_URL", "https://index.invalid/simple")
    pip = FakePip()
    requirements.install(pip)
    (call,) = pip.calls
    assert call[call.index("--index-url") + 1] == "https://index.invalid/simple"


def test_a_failure_is_one_line_and_the_next_package_is_tried(host, capsys):
    host(modules=MODULES - {"addict", "timm"})
    pip = FakePip({"addict": "Collecting addict\nERROR: No matching distribution found for addict\n[notice] new pip"})
    requirements.install(pip)
    said = lines(capsys)
    assert said[:2] == ["installing addict", "not installed: addict: No matching distribution found for addict"]
    assert len(said) == 3 and said[2].startswith("installing timm")


def test_a_pip_that_fails_after_the_work_has_done_it(host, capsys, monkeypatch):
    host(modules=MODULES - {"addict"})
    before = requirements._found

    def crash(arguments, folder):
        monkeypatch.setattr(requirements, "_found", lambda module: module == "addict" or before(module))
        return 2, "ERROR: Exception:\nInvalidVersion: somebody else's"

    requirements.install(crash)
    assert lines(capsys) == ["installing addict"]


UNREACHABLE = """\
WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by 'NewConnectionError('no')': /simple/x/
ERROR: Could not find a version that satisfies the requirement x (from versions: none)
ERROR: No matching distribution found for x
"""
READ_ONLY = """\
ERROR: Could not install packages due to an OSError: [Errno 30] Read-only file system: '/venv/site-packages/x'

"""
MANAGED = """\
error: externally-managed-environment
× This environment is externally managed
hint: See PEP 668 for the detailed specification.
"""


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (UNREACHABLE, "the package index cannot be reached (NewConnectionError)"),
        (READ_ONLY, "pip cannot write its files: [Errno 30] Read-only file system: '/venv/site-packages/x'"),
        (MANAGED, "this Python's packages are managed by the system; run the WebUI from its own venv"),
        ("python: No module named pip", "this Python has no working pip"),
        (subprocess.TimeoutExpired("pip", 600), "pip was stopped after 600 s"),
        (FileNotFoundError(2, "No such file"), "pip cannot be run ([Errno 2] No such file)"),
    ],
)
def test_what_would_stop_all_others_too_is_said_once(host, capsys, answer, reason):
    host(modules=MODULES - {"groundingdino", "addict", "yapf"})
    pip = FakePip({"groundingdino-py": answer})
    requirements.install(pip)
    assert len(pip.calls) == 1
    assert lines(capsys) == [
        "installing groundingdino-py 0.4.0",
        f"not installed: groundingdino-py, addict, yapf: {reason}",
    ]


@pytest.mark.parametrize(
    ("output", "line"),
    [
        (
            "  error: subprocess-exited\nERROR: Failed building wheel\nnote: not pip's fault",
            "Failed building wheel",
        ),
        ("ERROR: Cannot install a and b\nERROR: ResolutionImpossible: for help visit", "Cannot install a and b"),
        ("ERROR: Exception:\nTraceback:\n  File x\nKeyError: 'pip'\n\n", "KeyError: 'pip'"),
        ("", "pip gave no reason"),
        ("ERROR: " + "x" * 1000, "x" * 300),
    ],
)
def test_the_telling_line(output, line):
    assert requirements.telling_line(output) == line


def test_a_changed_package_is_told(host, capsys):
    host(modules=MODULES - {"addict"}, after={**HOST, "addict": "2.4.0", "numpy": "2.2.6"})
    requirements.install(FakePip())
    assert lines(capsys)[1:] == ["WARNING: pip changed packages that were there before: numpy 1.26.2 -> 2.2.6"]


def test_a_removed_package_is_told_even_when_pip_crashes(host, capsys):
    host(modules=MODULES - {"addict"}, after={k: v for k, v in HOST.items() if k != "six"})
    requirements.install(FakePip({"addict": RuntimeError("boom")}))
    assert lines(capsys)[1:] == [
        "WARNING: pip changed packages that were there before: six 1.16.0 -> removed",
        "its packages could not be checked (RuntimeError: boom)",
    ]


def test_whatever_happens_the_webui_starts(monkeypatch, capsys):
    def broken(module):
        raise ValueError("a path that is none: \N{SNOWMAN}\nsecond line")

    monkeypatch.setattr(requirements, "_found", broken)
    requirements.install(FakePip())
    assert lines(capsys) == ["its packages could not be checked (ValueError: a path that is none: \\u2603 second line)"]


def test_the_panel_is_told_what_is_missing(host):
    host(modules=MODULES - {"timm"})
    names, message = requirements.missing()
    assert names == ("timm",)
    assert message.startswith("The GroundingDINO detector cannot be used because timm is not installed; restart")
    host(modules=MODULES - {"segment_anything", "timm"})
    names, message = requirements.missing()
    assert names == ("segment-anything", "timm")
    assert message.startswith("The product filter cannot be used because segment-anything, timm are not installed;")


def run_script(python: Path | str, environment: dict[str, str], arguments: Sequence[str] = ()) -> str:
    """Runs install.py as the WebUI does; returns what it prints."""
    result = subprocess.run(
        [str(python), str(ROOT / "install.py"), *arguments], env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0 and result.stderr == ""
    return result.stdout


def clean_environment(**more: str) -> dict[str, str]:
    """This one without settings for pip and the WebUI."""
    dropped = {name for name in os.environ if name.startswith("PIP_")} | {"COMMANDLINE_ARGS", "INDEX_URL"}
    return {**{k: v for k, v in os.environ.items() if k not in dropped}, "PIP_CONFIG_FILE": os.devnull, **more}


def test_the_script_prints_nothing_where_all_is_present(tmp_path):
    for module in MODULES:
        (tmp_path / f"{module}.py").write_text("raise SystemExit('imported')")
    assert run_script(sys.executable, clean_environment(PYTHONPATH=str(tmp_path))) == ""


def test_nothing_heavy_is_imported():
    module = "lib_photoshoot.webui.hosts.requirements"
    code = f"import sys, install; from {module} import missing; missing(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert not {"torch", "numpy", "cv2", "PIL", "gradio", "pip", "modules", "launch"} & set(loaded.split())


def make_wheel(folder: Path, name: str, version: str, requires: Sequence[str] = (), module: str = "") -> Path:
    """A wheel with one empty module, unless that is named otherwise like the distribution itself."""
    module = module or name.replace("-", "_")
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    wheel = folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    files = {
        f"{module}/__init__.py": "",
        f"{info}/METADATA": metadata + "".join(f"Requires-Dist: {item}\n" for item in requires),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(path, text)
    return wheel


def webui_venv(folder: Path, packages: Sequence[tuple[str, str, tuple[str, ...]]]) -> Path:
    """The interpreter of a venv with pip and these packages, which look like a WebUI's."""
    made = subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"python -m venv does not work here: {made.stdout}{made.stderr}")
    python = folder / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = subprocess.run([str(python), "-c", where], check=True, capture_output=True, text=True).stdout.strip()
    for name, version, requires in packages:
        zipfile.ZipFile(make_wheel(folder, name, version, requires)).extractall(site)
    return python


@pytest.fixture(scope="module")
def webui_python(tmp_path_factory) -> Path:
    """Old versions, as AUTOMATIC1111 1.10.1 pins them."""
    packages = [
        ("numpy", "1.26.2", ()),
        ("torch", "2.1.2+cu121", ("numpy",)),
        ("torchvision", "0.16.2", ("torch",)),
        ("pillow", "9.5.0", ()),
        ("protobuf", "3.20.0", ()),
        ("platformdirs", "3.0", ()),
        ("custom", "2.0-own-build", ()),  # no valid version: a fork somebody installed by hand
    ]
    return webui_venv(tmp_path_factory.mktemp("host"), packages)


@pytest.fixture(scope="module")
def newer_python(tmp_path_factory) -> Path:
    """New versions, as Forge Neo pins them."""
    packages = [
        ("numpy", "2.3.5", ()),
        ("torch", "2.11.0", ("numpy",)),
        ("torchvision", "0.26.0", ("torch",)),
        ("pillow", "12.2.0", ()),
        ("protobuf", "4.25.9", ()),
    ]
    return webui_venv(tmp_path_factory.mktemp("newer_host"), packages)


@pytest.fixture(scope="module")
def index(tmp_path_factory) -> Path:
    """A folder with what install.py asks for, timm aside, whose requirements would pull newer host packages."""
    folder = tmp_path_factory.mktemp("index")
    for name, version, requires, module in [
        ("numpy", "2.2.6", (), ""),
        ("torch", "2.14.1", ("numpy>=2",), ""),
        ("torchvision", "0.29.1", ("torch>=2.14",), ""),
        ("transformers", "5.0", (), ""),
        ("platformdirs", "4.0", (), ""),
        ("segment-anything", "1.0", ("torch>=2.14",), ""),
        ("groundingdino-py", "0.4.0", ("torch>=2.14", "transformers", "opencv-python", "supervision"), "groundingdino"),
        ("opencv-python", "4.11.0.86", ("numpy>=1.26",), "cv2"),
        ("opencv-python", "4.12.0.88", ("numpy>=2",), "cv2"),  # would take numpy along
        ("opencv-python", "5.0.0.93", ("numpy>=2",), "cv2"),
        ("onnxruntime", "1.20.1", ("protobuf", "numpy>=1.21"), ""),
        ("onnxruntime", "1.30.0", ("protobuf>=4.25", "numpy>=2"), ""),  # would take numpy along
        ("protobuf", "7.0", (), ""),
        ("scipy", "1.11.4", ("numpy<1.28",), ""),
        ("scipy", "1.17.0", ("numpy>=2",), ""),
        ("colour-science", "0.4.6", ("numpy>=1.24", "scipy>=1.10"), "colour"),
        ("colour-science", "0.4.7", ("numpy>=2",), "colour"),  # would take numpy along
        ("safetensors", "0.8.0", (), ""),
        ("addict", "2.4.0", (), ""),
        ("yapf", "0.43.0", ("platformdirs",), ""),
    ]:
        make_wheel(folder, name, version, requires, module)
    return folder


def versions(python: Path) -> dict[str, str]:
    code = "from lib_photoshoot.webui.hosts.requirements import installed; print(installed())"
    result = subprocess.run([str(python), "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    return ast.literal_eval(result.stdout)


def test_a_host_with_numpy_2_gets_what_fits_it(newer_python, index):
    environment = clean_environment(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(index), PYTHONPATH="")
    before = versions(newer_python)
    run_script(newer_python, environment)
    after = versions(newer_python)
    assert {name: after.get(name) for name in before} == before
    added = {"opencv-python": "5.0.0.93", "onnxruntime": "1.30.0", "scipy": "1.17.0", "colour-science": "0.4.7"}
    assert {name: after.get(name) for name in added} == added


@pytest.mark.parametrize(
    "pins",
    [
        {"numpy": "1.26.2", "pillow": "9.5.0", "opencv-python-headless": "4.9.0.80", "colour-science": "0.4.6"},
        {"numpy": "2.3.5", "pillow": "12.2.0", "opencv-python-headless": "5.0.0.93", "colour-science": "0.4.7"},
    ],
    ids=["AUTOMATIC1111", "Forge Neo"],
)
def test_what_hosts_pin_is_forbidden_nowhere(pins):
    tomllib = pytest.importorskip("tomllib" if sys.version_info >= (3, 11) else "tomli")
    packaging = pytest.importorskip("packaging.requirements")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    runtime = (ROOT / "requirements" / "runtime.txt").read_text("utf-8").splitlines()
    for lines in (project, [line for line in runtime if line and not line.startswith("#")]):
        wanted = {item.name: item.specifier for item in map(packaging.Requirement, lines)}
        assert [name for name, version in pins.items() if version not in wanted[name]] == []


def test_a_real_pip_changes_nothing_that_is_there(webui_python, index):
    environment = clean_environment(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(index), PYTHONPATH="")
    before = versions(webui_python)
    assert before["torch"] == "2.1.2+cu121" and before["custom"] == "2.0-own-build"

    printed = run_script(webui_python, environment).splitlines()
    assert [line.split()[2] for line in printed] == ["installing"] * len(PACKAGES) + ["not"]
    assert printed[-1].startswith("Product Photoshoot: not installed: timm: No matching distribution found for timm")
    after = versions(webui_python)
    assert {name: after.get(name) for name in before} == before
    assert {name: version for name, version in after.items() if name not in before} == {
        "segment-anything": "1.0",
        "opencv-python": "4.11.0.86",
        "onnxruntime": "1.20.1",
        "scipy": "1.11.4",
        "colour-science": "0.4.6",
        "safetensors": "0.8.0",
        "groundingdino-py": "0.4.0",
        "addict": "2.4.0",
        "yapf": "0.43.0",
    }

    for version in ("0.6.7", "0.9.5", "1.0.31"):
        make_wheel(index, "timm", version, ["torch>=1.7", "torchvision"])
    assert run_script(webui_python, environment).startswith("Product Photoshoot: installing timm")
    timm = "0.6.7" if sys.version_info < (3, 11) else "0.9.5"
    assert versions(webui_python) == {**after, "timm": timm}

    assert run_script(webui_python, environment) == ""
