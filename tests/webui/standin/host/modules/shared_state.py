"""The job at work, and the wish to stop it."""

from __future__ import annotations


class State:
    """See the progress bar and the buttons Skip and Interrupt."""

    skipped = interrupted = stopping_generation = False
    job, job_no, job_count, job_timestamp = "", 0, 0, "0"
    sampling_step = sampling_steps = 0
    textinfo: str | None = None

    def skip(self) -> None:
        """Leave the image at hand."""
        self.skipped = True

    def interrupt(self) -> None:
        """End the job as soon as may be."""
        self.interrupted = True

    def stop_generating(self) -> None:
        """End the job after the image at hand."""
        self.stopping_generation = True

    def nextjob(self) -> None:
        """One of ``job_count`` parts is done."""
        self.job_no += 1
        self.sampling_step = 0

    def begin(self, job: str = "(unknown)") -> None:
        """A job begins; it knows later of how many parts it is."""
        self.job, self.job_no, self.job_count, self.sampling_step = job, 0, -1, 0
        self.skipped = self.interrupted = self.stopping_generation = False
        self.textinfo = None

    def end(self) -> None:
        """No job is at work."""
        self.job, self.job_count = "", 0
