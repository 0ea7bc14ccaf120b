"""Why a training failed, in one sentence, from what was printed.

Launchers (accelerate, torchrun) add a traceback of their own below the trainer's, which says "returned non-zero exit
status 1" and nothing else; it is passed over.
"""

from __future__ import annotations

import re

_LAUNCHER = ("subprocess.CalledProcessError", "torch.distributed.elastic", "torch.multiprocessing.spawn")
_RANK = re.compile(r"^\[rank\d+\]:\s?")
_USAGE = re.compile(r"^[\w./-]+\.py: error: ")
_EXCEPTION = re.compile(r"^(?P<name>[A-Za-z_][\w.]*)(?:: (?P<text>.*))?$")
_LONGEST = 400

_KNOWN = (
    (
        re.compile(r"HFValidationError|Repo id must (?:be|use)"),
        "The checkpoint was not found where the run looks for it; check its path.",
    ),
    (
        re.compile(r"OutOfMemoryError|CUDA out of memory|DefaultCPUAllocator: can't allocate"),
        "The memory is not enough for this recipe; lower the resolution or the batch size, or switch on gradient "
        "checkpointing, and resume.",
    ),
    (
        re.compile(r"No space left on device|\[Errno 28\]|ENOSPC"),
        "The disk is full; make room on it and resume the run.",
    ),
    (
        re.compile(r"No bitsandbytes"),
        "The optimizer needs bitsandbytes, which the trainer does not have; choose AdamW.",
    ),
    (
        re.compile(r"Can't load (?:tokenizer|the configuration)|couldn't connect to .*hub|LocalEntryNotFoundError"),
        "The tokenizer could not be fetched; connect to the internet once, or put the folder "
        "openai_clip-vit-large-patch14 into the trainer's tokenizer folder.",
    ),
    (
        re.compile(r"caption file is empty"),
        "A caption file is empty; write a caption for its picture or delete the file.",
    ),
    (
        re.compile(r"^No data found"),
        "The trainer found no pictures in the run's dataset folder; add pictures and start a new run.",
    ),
    (
        re.compile(r"voluptuous\.error\.\w+: (?P<detail>.+)"),
        "The trainer refuses the dataset's settings: {detail}.",
    ),
    (
        re.compile(r"No module named '(?P<detail>[\w.]+)'"),
        "The trainer lacks the package {detail}; install the trainer again.",
    ),
    (
        re.compile(r"died with <Signals\.(?P<detail>\w+)"),
        "The trainer was ended from outside ({detail}).",
    ),
    (
        re.compile(r"error: unrecognized arguments: (?P<detail>.+)"),
        "This version of sd-scripts does not know {detail}; install the trainer, which is the tested version.",
    ),
    (
        re.compile(r"\.py: error: (?P<detail>.+)"),
        "The trainer refuses its arguments: {detail}.",
    ),
    (
        re.compile(r"^KeyboardInterrupt"),
        "The trainer was interrupted.",
    ),
    (
        re.compile(r"Error while deserializing header|HeaderTooLarge|InvalidHeader|SafetensorError"),
        "The checkpoint is damaged or no safetensors file; download it again.",
    ),
)


def sentence_for(text: str) -> str:
    """The user's sentence for an exception's line: a known cause explained, another one as the trainer says it."""
    for pattern, sentence in _KNOWN:
        found = pattern.search(text)
        if found:
            return sentence.format(**found.groupdict())
    text = " ".join(text.split())
    return f"The trainer stopped with an error: {text[:_LONGEST]}"


def is_known(text: str) -> bool:
    """Whether there is a sentence of its own for this line."""
    return any(pattern.search(text) for pattern, _ in _KNOWN)


class TracebackReader:
    """Follows the lines of an output and keeps the exceptions that end its tracebacks."""

    def __init__(self) -> None:
        self._open = False
        self._found: list[str] = []

    def line(self, line: str) -> None:
        """One more line, without its end."""
        line = _RANK.sub("", line)
        if line.startswith("Traceback (most recent call last)"):
            self._open = True
        elif self._open and line and not line[0].isspace() and _EXCEPTION.match(line):
            self._open = False
            self._found.append(line)
        elif _USAGE.match(line):
            self._found.append(line)

    def cause(self) -> str | None:
        """The sentence for the real cause, None while nothing failed.

        Of several exceptions the first with a known sentence wins; otherwise the last that is no launcher's, since a
        chain of exceptions ends with the most telling one.
        """
        own = [line for line in self._found if not line.startswith(_LAUNCHER)]
        for line in own or self._found:
            if is_known(line):
                return sentence_for(line)
        return sentence_for((own or self._found)[-1]) if self._found else None
