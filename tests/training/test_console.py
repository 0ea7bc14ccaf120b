"""The parser on recorded trainer output, and on what can happen to it on the way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_photoshoot.training.trainer.causes import sentence_for
from lib_photoshoot.training.trainer.console import HOOK_MARK, ConsoleParser, read_log
from lib_photoshoot.training.trainer.events import Event, EventKind
from lib_photoshoot.training.trainer.tracebacks import TracebackReader

LOGS = Path(__file__).resolve().parents[3] / "shared" / "fixtures" / "sd_scripts"

STEPS = {
    "log.txt": ([1, 2, 3, 4], 4, [1.18, 0.872, 0.832, 1.1], [18, 10, 12, 0]),
    "log_80col_rich.txt": (
        [1, 2, 3, 4, 5, 6, 7],
        8,
        [1.18, 0.872, 0.832, 1.1, 1.08, 1.08, 0.984],
        [232, 204, 181, 146, 122, 76, 35],
    ),
    "log_reference_59img.txt": ([1, 2], 1770, [1.15, 1.15], [24 * 3600 + 33 * 60 + 19, 19 * 3600 + 48 * 60 + 55]),
    "log_resume.txt": ([1, 2, 3, 4, 5, 6], 10, [1.21, 1.16, 1.16, 1.2, 1.18, 1.16], [4, 3, 2, 2, 1, 1]),
    "log_sigterm_child.txt": ([1, 2], 8, [1.03, 0.83], [263, 168]),
    "log_with_samples.txt": ([1, 2, 3, 4], 4, [1.08, 1.02, 1.09, 1.13], [0, 0, 0, 0]),
    "log_bad_toml.txt": ([], None, [], []),
    "log_empty_dataset.txt": ([], None, [], []),
    "log_missing_ckpt.txt": ([], None, [], []),
}
SAVED = {
    "log.txt": ["-000001", ""],
    "log_80col_rich.txt": [*(f"-step{n:08d}" for n in (1, 2)), "-000001", "-step00000003", "-step00000004", "-000002",
                           "-step00000005", "-step00000006", "-000003", "-step00000007"],
    "log_resume.txt": ["-000003", "-000004", ""],
    "log_sigterm_child.txt": ["-000002"],
    "log_with_samples.txt": ["-000001", ""],
}  # fmt: skip
CAUSES = {
    "log_bad_toml.txt": "expected int for dictionary value @ data['datasets'][0]['subsets'][0]['num_repeats']",
    "log_empty_dataset.txt": "found no pictures",
    "log_missing_ckpt.txt": "checkpoint was not found",
    "log_sigterm_child.txt": "SIGTERM",
}


def log(name: str) -> Path:
    if not LOGS.is_dir():
        pytest.skip("there is no shared/fixtures beside the clone, with real trainer logs")
    return LOGS / name


def of_kind(events: list[Event], kind: EventKind) -> list[Event]:
    return [event for event in events if event.event is kind]


def parsed(text: str) -> list[Event]:
    parser = ConsoleParser()
    return [*parser.feed(text.encode()), *parser.close()]


@pytest.mark.parametrize("name", STEPS)
def test_every_step_of_a_real_log_once_with_its_own_loss(name: str) -> None:
    steps = of_kind(list(read_log(log(name))), EventKind.STEP)
    numbers, total, losses, left = STEPS[name]
    assert [event.step for event in steps] == numbers
    assert {event.total for event in steps} == ({total} if numbers else set())
    assert [event.loss for event in steps] == losses
    assert [event.seconds_left for event in steps] == left


@pytest.mark.parametrize("name", STEPS)
def test_files_and_causes_of_a_real_log(name: str) -> None:
    events = list(read_log(log(name)))
    saved = [Path(event.file or "").stem.removeprefix("ppzocketv2") for event in of_kind(events, EventKind.SAVED)]
    assert saved == SAVED.get(name, [])
    causes = [event.cause or "" for event in of_kind(events, EventKind.ERROR)]
    assert len(causes) == (name in CAUSES)
    assert not causes or CAUSES[name] in causes[0]


def test_epochs_of_a_real_log() -> None:
    events = list(read_log(log("log_resume.txt")))
    assert [(event.epoch, event.epochs) for event in of_kind(events, EventKind.EPOCH)] == [(3, 5), (4, 5), (5, 5)]
    assert [event.epoch for event in of_kind(events, EventKind.STEP)] == [3, 3, 4, 4, 5, 5]


@pytest.mark.parametrize("size", [1, 7, 64])
def test_pieces_of_any_size_give_the_same_events(size: int) -> None:
    data = log("log.txt").read_bytes()
    parser = ConsoleParser()
    events = [event for at in range(0, len(data), size) for event in parser.feed(data[at : at + size])]
    assert [*events, *parser.close()] == list(read_log(log("log.txt")))


def test_a_step_is_told_before_the_next_line_ends_it() -> None:
    parser = ConsoleParser()
    events = parser.feed("\rsteps:  50%|█████     | 1/2 [00:01<00:01,  1.00s/it]".encode())
    assert not events, "the first showing has no loss of its own"
    events = parser.feed("\rsteps:  50%|█████     | 1/2 [00:01<00:01,  1.00s/it, avr_loss=0.5]".encode())
    assert [event.loss for event in events] == [0.5]


@pytest.mark.parametrize(
    ("line", "step", "total", "loss", "left"),
    [
        ("steps:  10% 195/1950 [05:15<47:17,  1.62s/it, loss=0.0673]", 195, 1950, 0.0673, 47 * 60 + 17),
        ("steps:   0%|          | 1/9 [00:49<?, ?it/s, avr_loss=1.15]", 1, 9, 1.15, None),
        ("steps: 3%|▎ | 3/99 [00:49<1:02:03, 2.5it/s, Keys Scaled=3, Average key norm=1, avr_loss=2] ", 3, 99, 2, 3723),
    ],
)  # fmt: skip
def test_bars_of_other_versions(line: str, step: int, total: int, loss: float, left: float | None) -> None:
    (event,) = of_kind(parsed("\r" + line), EventKind.STEP)
    assert (event.step, event.total, event.loss, event.seconds_left) == (step, total, loss, left)


def test_a_loss_that_is_no_number_is_told_once() -> None:
    bar = "\rsteps:  50%|█████     | {}/4 [00:01<00:01,  1.00s/it, avr_loss=nan]"
    events = parsed("".join(bar.format(step) * 2 for step in (1, 2, 3)))
    assert [event.step for event in of_kind(events, EventKind.NOT_A_NUMBER)] == [1]
    assert [event.loss for event in of_kind(events, EventKind.STEP)] == [None] * 3
    assert all("NaN" not in json.dumps(event.to_dict()) for event in events)


def test_other_bars_are_no_steps() -> None:
    assert not parsed(
        "\r 25%|██▌       | 1/4 [00:00<00:02,  1.29it/s]\rread caption: 100%|██████████| 4/4 [00:00<00:00]"
    )


def test_a_file_whose_writing_was_interrupted_is_not_told_as_saved() -> None:
    text = (
        "\nsaving checkpoint: /out/x.safetensors\nTraceback (most recent call last):\n  File ...\nKeyboardInterrupt\n"
    )
    events = parsed(text)
    assert not of_kind(events, EventKind.SAVED)
    assert of_kind(events, EventKind.ERROR)[0].cause == "The trainer was interrupted."


def test_the_hooks_lines_count_and_the_bars_do_not() -> None:
    hook = HOOK_MARK + json.dumps({"event": "step", "step": 41, "total": 60, "epoch": 3, "epochs": 3, "loss": 0.25})
    cut = HOOK_MARK + '{"event": "step", "st'
    bar = "\rsteps: 2%| | 1/60 [00:01<00:01, 1.00s/it, avr_loss=0.5]" * 2
    events = of_kind(parsed(f"\n{hook}\n{bar}\n{cut}\n"), EventKind.STEP)
    assert [(event.step, event.loss) for event in events] == [(41, 0.25)]


@given(st.binary(max_size=400))
@settings(max_examples=300, deadline=None)
def test_whatever_is_printed_is_survived(data: bytes) -> None:
    parser = ConsoleParser()
    for event in [*parser.feed(data), *parser.close()]:
        json.dumps(event.to_dict())


def test_of_a_chain_the_known_or_else_the_last_own_exception_is_the_cause() -> None:
    reader = TracebackReader()
    for line in (
        "Traceback (most recent call last):", "  File x", "KeyError: 'a'",
        "During handling of the above exception, another exception occurred:",
        "Traceback (most recent call last):", "  File y", "ValueError: the real one",
        "Traceback (most recent call last):", "  File z",
        "subprocess.CalledProcessError: Command '['python']' returned non-zero exit status 1.",
    ):  # fmt: skip
        reader.line(line)
    assert reader.cause() == "The trainer stopped with an error: ValueError: the real one"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB", "lower resolution"),
        ("MemoryError", "main memory ran out"),
        ("RuntimeError: DataLoader worker (pid 7) is killed by signal: Killed.", "main memory ran out"),
        ("RuntimeError: CUDA error: out of memory", "--set gradient_checkpointing=true"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("ImportError: No bitsandbytes / bitsandbytesがインストールされていないようです", "optimizer_type=AdamW"),
        ("NameError: name 'str2optimizer8bit_blockwise' is not defined", "choose another optimizer"),
        ("AttributeError: 'NoneType' object has no attribute 'cget_managed_ptr'", "choose another optimizer"),
        ("RuntimeError: CUDA Setup failed despite GPU being available.", "choose another optimizer"),
        (
            "OSError: We couldn't connect to 'https://huggingface.co' to load the files, and couldn't find them in the "
            "cached files.",
            "tokenizer could not be fetched",
        ),
        ("httpx.ConnectError: [Errno -2] Name or service not known", "tokenizer could not be fetched"),
        ("huggingface_hub.errors.OfflineModeIsEnabled: Cannot reach https://x: offline mode", "tokenizer could not"),
        ("OSError: Can't load tokenizer for 'openai/clip-vit-large-patch14'.", "tokenizer"),
        ("train_network.py: error: unrecognized arguments: --nonsense", "does not know --nonsense"),
        ("AssertionError: caption file is empty: /x/1.txt", "caption"),
        ("ModuleNotFoundError: No module named 'einops'", "einops"),
        ("safetensors_rust.SafetensorError: Error while deserializing header: HeaderTooLarge", "damaged"),
    ],
)
def test_known_causes_say_what_to_do(line: str, says: str) -> None:
    assert says in sentence_for(line)
    assert "returned non-zero" not in sentence_for(line)


def test_a_refused_argument_is_the_cause() -> None:
    events = parsed("usage: train_network.py [-h]\ntrain_network.py: error: unrecognized arguments: --nonsense\n")
    assert "does not know --nonsense" in (of_kind(events, EventKind.ERROR)[0].cause or "")


_OOM = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 14.00 MiB."
_FRAMES = '  File "/train/train_network.py", line 90, in <module>\n    trainer.train(args)\n'
_SHOWN = "\rsteps:   0%|          | 1/400 [00:01<10:00,  1.30it/s, avr_loss=0.091]"
_LAUNCHED = (
    'Traceback (most recent call last):\n  File "/venv/bin/accelerate", line 8\n'
    "subprocess.CalledProcessError: Command '['python']' returned non-zero exit status 1.\n"
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"{_SHOWN}Traceback (most recent call last):\n{_FRAMES}{_OOM}\n", "memory is not enough"),
        (f"{_SHOWN}{_LAUNCHED.splitlines()[0]}\n{_FRAMES}{_OOM}\n{_SHOWN}\n{_LAUNCHED}", "memory is not enough"),
        (
            "╭──── Traceback (most recent call last) ────╮\n│ /train/train_network.py:90 in <module>    │\n"
            f"│ ❱ 90   trainer.train(args)                │\n╰────────────────────────────────────────╯\n{_OOM[6:]}\n",
            "memory is not enough",
        ),
        (
            f"accelerate : Traceback (most recent call last):\nAt line:1 char:1\n{_FRAMES}UnicodeEncodeError: "
            "'charmap' codec can't encode characters in position 3-9: character maps to <undefined>\n",
            "console's encoding",
        ),
        (
            "".join(
                f"trainer-1  | 10:00:0{at} {line}\n"
                for at, line in enumerate(["Traceback (most recent call last):", "  File x", "    raise", _OOM])
            ),
            "memory is not enough",
        ),
        (
            f"10:00:00 ERROR    Traceback (most recent call last):\n{' ' * 20}File x\n{' ' * 18}{_OOM}\n",
            "memory is not enough",
        ),
        (
            "  + Exception Group Traceback (most recent call last):\n  | ExceptionGroup: two (1 sub-exception)\n"
            f"    | Traceback (most recent call last):\n    |   File x\n    | {_OOM}\n",
            "memory is not enough",
        ),
        ("\nMemoryError\nthread '<unnamed>' panicked at src/err.rs:788:5:\nPython API call failed\n", "main memory"),
        (
            f"Traceback (most recent call last):\n{_FRAMES}RuntimeError: \n\n        CUDA Setup failed despite GPU.\n",
            "choose another optimizer",
        ),
        (
            f"Traceback (most recent call last):\n{_FRAMES}requests.exceptions.ConnectionError: (MaxRetryError("
            "\"HTTPSConnectionPool(host='hub.example', port=443): Max retries exceeded\"))\n",
            "tokenizer could not be fetched",
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 9999])
def test_a_traceback_is_found_however_it_is_dressed(text: str, says: str, size: int) -> None:
    parser, data = ConsoleParser(), text.encode()
    events = [event for at in range(0, len(data), size) for event in parser.feed(data[at : at + size])]
    events += parser.close()
    (error,) = of_kind(events, EventKind.ERROR)
    assert says in (error.cause or "")
    assert [event.step for event in of_kind(events, EventKind.STEP)] == ([1] if "steps:" in text else [])


def test_what_the_trainer_counts_is_read() -> None:
    printed = (
        "running training / 学習開始\n  num train images * repeats / 学習画像の数×繰り返し回数: 390\n"
        "  num validation images * repeats / 学習画像の数×繰り返し回数: 0\n  num reg images / 正則化画像の数: 0\n"
        "  num batches per epoch / 1epochのバッチ数: 195\n  num epochs / epoch数: 10\n"
        "  total optimization steps: 1950\n"
    )
    counted = of_kind(ConsoleParser().feed(printed.encode()), EventKind.COUNTED)
    assert [(event.images, event.batches, event.total) for event in counted] == [
        (390, None, None),
        (None, 195, None),
        (None, None, 1950),
    ]


def test_the_real_trainer_counts_the_original_photos_with_their_repeats() -> None:
    counted = of_kind(list(read_log(log("log_reference_59img.txt"))), EventKind.COUNTED)
    assert [event.images or event.batches or event.total for event in counted] == [354, 177, 1770]
