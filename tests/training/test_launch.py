import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.training.trainer.launch import Launch, command, commands_per_machine, launch_variables

PYTHON, SCRIPT = Path("/py thon"), Path("/entry.py")

WORKER = """
import json, os, sys, time
names = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR")
seen = {name: os.environ[name] for name in names} | {"arguments": sys.argv[2:], "pid": os.getpid()}
with open(f"{sys.argv[1]}/{os.environ['RANK']}.part", "w") as file:
    json.dump(seen, file)
os.rename(file.name, file.name[:-5] + ".json")
time.sleep(float(sys.argv[2]))
"""


@pytest.fixture
def worker(tmp_path):
    pytest.importorskip("torch")
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    return script


def reports(folder, count, seconds=60):
    """What the workers wrote, by rank, once ``count`` of them have."""
    end = time.monotonic() + seconds
    while len(found := sorted(folder.glob("*.json"))) < count and time.monotonic() < end:
        time.sleep(0.1)
    return [json.loads(path.read_text()) for path in found]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_one_process_is_started_directly():
    assert command(PYTHON, SCRIPT, ["--seed", "1"], Launch()) == [str(PYTHON), str(SCRIPT), "--seed", "1"]
    assert launch_variables(Launch(), windows=True) == {}


def test_several_machines_get_one_line_each():
    launch = Launch(processes=2, machines=3, rank=1, address="10.0.0.5", port=29511)
    lines = commands_per_machine(PYTHON, SCRIPT, ["--output_name", "my lora"], launch, windows=False)
    assert launch.total == 6
    assert [shlex.split(line) for line in lines] == [
        [
            str(PYTHON),
            *["-m", "torch.distributed.run", "--nproc_per_node", "2", "--nnodes", "3", "--node_rank"],
            str(rank),
            *["--master_addr", "10.0.0.5", "--master_port", "29511"],
            str(SCRIPT),
            "--output_name",
            "my lora",
        ]
        for rank in range(3)
    ]
    assert lines[1] == shlex.join(command(PYTHON, SCRIPT, ["--output_name", "my lora"], launch))


def test_windows_is_told_to_do_without_libuv():
    launch = Launch(processes=2)
    (line,) = commands_per_machine(Path("C:/my py/python.exe"), SCRIPT, [], launch, windows=True)
    assert line.startswith('set "USE_LIBUV=0" && "')
    assert "USE_LIBUV" not in commands_per_machine(PYTHON, SCRIPT, [], launch, windows=False)[0]
    assert launch_variables(launch, windows=True) == {"USE_LIBUV": "0"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"processes": 0}, "number of processes"),
        ({"processes": True}, "number of processes"),
        ({"processes": 1.0}, "number of processes"),
        ({"machines": 0}, "number of machines"),
        ({"machines": 2}, "address"),
        ({"machines": 2, "address": "a b"}, "address"),
        ({"machines": 2, "address": "--help"}, "address"),
        ({"machines": 2, "address": "a", "rank": 2}, "rank"),
        ({"rank": 1}, "rank"),
        ({"port": 70000}, "port"),
    ],
)
def test_a_wrong_value_is_refused_in_one_sentence(values, words):
    with pytest.raises(TrainingError, match=words) as caught:
        Launch(**values)
    assert str(caught.value).endswith(".")


def test_two_processes_really_start(worker, tmp_path):
    words = command(Path(sys.executable), worker, [str(tmp_path), "0", "an argument"], Launch(processes=2))
    subprocess.run(words, check=True, timeout=120)
    found = reports(tmp_path, 2)
    assert [report["RANK"] for report in found] == ["0", "1"]
    assert {report["WORLD_SIZE"] for report in found} == {"2"}
    assert all(report["arguments"] == ["0", "an argument"] for report in found)


def test_two_machines_find_each_other(worker, tmp_path):
    launch = Launch(machines=2, address="127.0.0.1", port=free_port())
    arguments = [str(tmp_path), "0"]
    started = [
        subprocess.Popen(command(Path(sys.executable), worker, arguments, Launch(1, 2, rank, "127.0.0.1", launch.port)))
        for rank in (1, 0)
    ]
    assert [process.wait(120) for process in started] == [0, 0]
    found = reports(tmp_path, 2)
    assert [(report["RANK"], report["LOCAL_RANK"]) for report in found] == [("0", "0"), ("1", "0")]
    assert {report["MASTER_ADDR"] for report in found} == {"127.0.0.1"}


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_ending_the_launcher_ends_its_processes(worker, tmp_path):
    words = command(Path(sys.executable), worker, [str(tmp_path), "300"], Launch(processes=2))
    launcher = subprocess.Popen(words)
    try:
        found = reports(tmp_path, 2)
        launcher.send_signal(signal.SIGTERM)
        assert launcher.wait(60) != 0
    finally:
        launcher.kill()
    assert len(found) == 2
    for report in found:
        with pytest.raises(ProcessLookupError):
            os.kill(report["pid"], 0)
