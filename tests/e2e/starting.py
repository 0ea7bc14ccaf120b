"""Starts a WebUI on the CPU for the end-to-end tests, and ends it with everything it started."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import ROOT

EXTENSIONS = {"product-photoshoot": ROOT, "painter": ROOT / "tests" / "e2e" / "painter"}
READY = "Startup time:"
"""The WebUI's log says so once extensions have their routes; its own API answers a moment earlier."""
_FLAGS = [
    "--skip-prepare-environment", "--skip-python-version-check", "--skip-torch-cuda-test", "--skip-install",
    "--skip-version-check", "--no-download-sd-model", "--do-not-download-clip", "--disable-nan-check", "--api",
]  # fmt: skip
_ON_CPU = {
    "--always-cpu": ["--always-cpu", "--all-in-fp32", "--attention-pytorch"],
    "--cpu": ["--cpu", "--force-fp32", "--use-pytorch-cross-attention"],
    "--use-cpu": ["--use-cpu", "all", "--no-half", "--precision", "full", "--opt-sdp-no-mem-attention"],
}
"""How a host is told to compute on the CPU, by a switch that it has: Forge, reForge, Forge Neo, then the others."""
_WHERE = ("modules/cmd_args.py", "backend/args.py", "ldm_patched/modules/args_parser.py", "modules_forge/*.py")
"""Where hosts declare their switches."""
_ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "GRADIO_ANALYTICS_ENABLED": "False", "CUDA_VISIBLE_DEVICES": "",
    "OMP_WAIT_POLICY": "PASSIVE", "NO_ALBUMENTATIONS_UPDATE": "1", "PYTHONUNBUFFERED": "1",
    "no_proxy": "127.0.0.1,localhost", "NO_PROXY": "127.0.0.1,localhost",
}  # fmt: skip
_START_S, _STOP_S = 600, 20


@contextmanager
def started(folder: Path, python: str, scratch: Path, flags: Sequence[str] = ()) -> Iterator[str]:
    """The address of a WebUI that runs until the end of the ``with``; ``scratch`` gets its log and its settings.

    RuntimeError, with the end of the log, when it does not come up.
    """
    with linked(folder / "extensions"):
        webui = WebUiProcess(folder, python, scratch, flags)
        try:
            webui.start()
            yield webui.url
        finally:
            webui.end()


class WebUiProcess:
    """A WebUI that can be killed and started again at the same address; see :func:`started`.

    ``flags`` are further ones of its command line.
    """

    def __init__(self, folder: Path, python: str, scratch: Path, flags: Sequence[str] = ()) -> None:
        self._folder, self._log, port = folder, scratch / "webui.log", _free_port()
        own = ["--port", str(port), "--ui-settings-file", str(scratch / "config.json")]
        own += ["--ui-config-file", str(scratch / "ui-config.json")]
        self._command = [python, "launch.py", *switches(folder), *own, *flags]
        self.url = f"http://127.0.0.1:{port}"
        # The shoots of the tests ask other WebUIs of this machine.
        settings = {"photoshoot_shoot_hosts": "127.0.0.1", **_settings_version(folder)}
        (scratch / "config.json").write_text(json.dumps(settings), encoding="utf-8")
        # As any later start finds it: at its first, Forge Neo pastes no infotext's prompt.
        prompts = {f"{tab}/Prompt/value": "" for tab in ("txt2img", "img2img")}
        (scratch / "ui-config.json").write_text(json.dumps(prompts), encoding="utf-8")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env={**os.environ, **_ENVIRONMENT},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        _wait(self._process, self._log)

    def kill(self) -> None:
        """``kill -9`` it, with all that it has started."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(_STOP_S)

    def end(self) -> None:
        """End it, whatever state it is in."""
        _end(self._process)


def switches(folder: Path) -> list[str]:
    """Those of ours that the host of a folder knows: an unknown one would keep it from starting."""
    sources = [path for place in _WHERE for path in folder.glob(place)]
    known = set(re.findall(r"add_argument\(\s*[\"'](--[\w-]+)", "".join(path.read_text("utf-8") for path in sources)))
    on_cpu = next((group for switch, group in _ON_CPU.items() if switch in known), [])
    values = {"all", "full"}
    return [word for word in (*_FLAGS, *on_cpu) if word in known or word in values]


def _settings_version(folder: Path) -> dict[str, str]:
    """What Forge Neo looks for in its settings: without it, it waits for Enter at its start."""
    version = re.search(r'VERSION_UID.* = "(.+)"', (folder / "modules" / "launch_utils.py").read_text("utf-8"))
    return {"VERSION_UID": version[1]} if version else {}


@contextmanager
def linked(extensions: Path) -> Iterator[None]:
    """This project and the painter among the extensions; what was there before stays there."""
    made: list[Path] = []
    there = {entry.resolve() for entry in extensions.iterdir()}
    try:
        for name, target in EXTENSIONS.items():
            if target not in there:
                (extensions / name).symlink_to(target, target_is_directory=True)
                made.append(extensions / name)
        yield
    finally:
        for link in made:
            link.unlink(missing_ok=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while READY not in (text := log.read_text(errors="replace")):
        if process.poll() is not None or time.monotonic() > deadline:
            what = "did not start" if process.poll() is None else f"ended with {process.returncode}"
            raise RuntimeError(f"the WebUI {what}; the end of {log}:\n{text[-3000:]}")
        time.sleep(0.2)


def _end(process: subprocess.Popen[bytes]) -> None:
    """The process is the leader of its own group, whose other members may outlive it."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
            process.wait(_STOP_S)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
