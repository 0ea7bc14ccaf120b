"""Why a training failed, in one sentence, from the line of an exception, with advice that can be followed."""

from __future__ import annotations

import re
import signal

_LONGEST = 400

_KNOWN = (
    (
        re.compile(r"HFValidationError|Repo id must (?:be|use)"),
        "The checkpoint was not found where the run looks for it; put it back and resume, or start a new run.",
    ),
    (
        # A DataLoader's worker that the system killed, and Windows' word for too small a paging file.
        re.compile(r"^MemoryError|ArrayMemoryError|bad_alloc|DataLoader worker .*killed by signal|WinError 1455"),
        "The machine's main memory ran out; close other programs and resume the run, or start a new one with "
        "max_data_loader_n_workers 0 or a smaller batch.",
    ),
    (
        re.compile(r"insufficient shared memory|Bus error"),
        "The data loader's shared memory ran out; resume with `train resume --set max_data_loader_n_workers=0`, or "
        "give the container more of it (--shm-size).",
    ),
    (
        re.compile(
            r"OutOfMemoryError|out of memory|DefaultCPUAllocator: (?:can't allocate|not enough)|"
            r"CUBLAS_STATUS_ALLOC_FAILED"
        ),
        "The memory is not enough for this recipe; resume with `train resume --set gradient_checkpointing=true`, or "
        "start a new run with a lower resolution or batch size.",
    ),
    (
        re.compile(r"No space left on device|\[Errno 28\]|ENOSPC"),
        "The disk is full; make room on it and resume the run.",
    ),
    (
        re.compile(
            r"No bitsandbytes|bitsandbytes|\bbnb\b|CUDA Setup failed|'cget_\w+'|cget_managed_ptr|cquantize|"
            r"str2optimizer(?:8bit|32bit)|cadam\w*(?:8bit|32bit)"
        ),
        "bitsandbytes, which the optimizer needs, is absent or broken on this machine; choose another optimizer and "
        "start a new run (`--set optimizer_type=AdamW`).",
    ),
    (
        re.compile(
            r"Can't load (?:tokenizer|the configuration)|couldn't connect to .*h(?:ub|uggingface)|"
            r"LocalEntryNotFoundError|OfflineModeIsEnabled|offline mode is enabled|Cannot reach http|"
            r"requests\.exceptions\.\w+|httpx\.\w+|"
            r"httpcore\.\w+|MaxRetryError|NameResolutionError|gaierror|CERTIFICATE_VERIFY_FAILED|"
            r"cannot find the requested files in the local cache"
        ),
        "The tokenizer could not be fetched; connect to the internet once and resume the run, or put the folder "
        "openai_clip-vit-large-patch14 into the folder tokenizers, beside runs, and start a new one.",
    ),
    (
        re.compile(r"'charmap' codec|'(?:cp|gbk)\w*' codec|UnicodeEncodeError"),
        "The console's encoding cannot show what the trainer prints; set PYTHONUTF8=1 where you start it, or start it "
        "from here, where that is done.",
    ),
    (
        re.compile(r"no kernel image is available|is not compatible with the current PyTorch installation"),
        "The trainer's PyTorch does not know this GPU; run `train install --again` and resume the run.",
    ),
    (
        re.compile(r"Torch not compiled with CUDA|no NVIDIA driver|driver .*(?:too old|is insufficient)"),
        "The trainer's PyTorch and the GPU's driver do not fit; update the driver, run `train install --again` and "
        "resume the run.",
    ),
    (
        re.compile(r"caption file is empty"),
        "A caption file is empty; write a caption for its picture and start a new run.",
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
        "The trainer lacks the package {detail}; run `train install --again` and resume the run.",
    ),
    (
        re.compile(r"died with <Signals\.(?P<detail>\w+)"),
        "The trainer was ended from outside ({detail}).",
    ),
    (
        re.compile(r"error: unrecognized arguments: (?P<detail>.+)"),
        "This version of sd-scripts does not know {detail}; run `train install`, which brings the tested "
        "version, and start a new run.",
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
        "The checkpoint is damaged or no safetensors file; download it again and resume the run.",
    ),
)


def sentence_for(text: str) -> str:
    """Return the user's sentence for an exception's line: a known cause explained, another one as the trainer says
    it.
    """
    for pattern, sentence in _KNOWN:
        found = pattern.search(text)
        if found:
            return sentence.format(**found.groupdict())
    text = " ".join(text.split())
    return f"The trainer stopped with an error: {text[:_LONGEST]}"


def is_known(text: str) -> bool:
    """Whether there is a sentence of its own for this line."""
    return any(pattern.search(text) for pattern, _ in _KNOWN)


def ended_by(code: int) -> str:
    """Return a sentence for an end that nothing explains."""
    if code < 0:
        name = signal.Signals(-code).name if -code in signal.Signals._value2member_map_ else str(-code)
        hint = " perhaps because the memory ran out;" if name == "SIGKILL" else ""
        return f"The trainer was ended from outside ({name}),{hint} resume goes on from the last saved state."
    if code == 0:
        return "The trainer ended without an error and without the last epoch's file; see its console log."
    return f"The trainer ended with status {code} and no word why; see its console log."
