"""What is known of a running trainer, as events, whether its console or our hook inside it told them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any


class EventKind(str, Enum):
    """What an event tells."""

    STEP = "step"
    """An optimizer step is done: ``step`` of ``total``, with the loss where it is known."""
    RATE = "rate"
    """The learning rates after ``step``."""
    EPOCH = "epoch"
    """An epoch has begun."""
    COUNTED = "counted"
    """What the trainer has found before its first step: ``images`` with repeats, ``batches`` of an epoch, ``total``."""
    PHASE = "phase"
    """What the trainer does between steps; ``text`` says it for the user."""
    SAVED = "saved"
    """A LoRA file was written. Believe the file, not the event."""
    STATE = "state"
    """A state to resume from is whole on the disk, at ``step``."""
    STOPPED = "stopped"
    """The trainer ended at the user's word, with its state saved."""
    NOT_A_NUMBER = "nan"
    """The loss is not a number, and the hook ended the training before it reached the weights."""
    ERROR = "error"
    """The training failed; ``cause`` is the real one."""


@dataclass(frozen=True)
class Event:
    """One event; what it does not tell is None.

    ``step`` counts optimizer steps from 1 over all epochs and resumes, ``epoch`` counts from 1. ``loss`` is what the
    source shows: the console the average of about one epoch, the hook that of the step (``averaged`` tells which).
    """

    event: EventKind
    step: int | None = None
    total: int | None = None
    images: int | None = None
    batches: int | None = None
    epoch: int | None = None
    epochs: int | None = None
    loss: float | None = None
    averaged: bool | None = None
    seconds_left: float | None = None
    unet_lr: float | None = None
    text_encoder_lr: float | None = None
    file: str | None = None
    text: str | None = None
    cause: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return what is known, ready for JSON; a step carries its figures only, anything else its kind first."""
        known = {name: value for name, value in asdict(self).items() if value is not None and name != "event"}
        return known if self.event is EventKind.STEP else {"event": self.event.value, **known}
