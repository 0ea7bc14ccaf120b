"""Runs sd-scripts' LoRA training in the trainer's own Python, with our hook inside; imports nothing of this package.

    python entry.py SD_SCRIPTS_FOLDER RUN_FOLDER [train_network.py's arguments]

The hook is a subclass of sd-scripts' ``NetworkTrainer``: nothing of sd-scripts is changed. It prints what it knows as
JSON lines (see ``console.HOOK_MARK``), saves states from which a run goes on at the very step, with the random numbers
and the order of the pictures that it would have had, and ends the training at the user's word or when the loss is not a
number, before that reaches the weights.

sd-scripts' own states count steps from the last start, so a second resume goes back to a wrong epoch
(kohya-ss/sd-scripts#2248); ours hold the true count. Exact with 0 data loader workers and one process; with more of
them a resumed run repeats no step, but its random numbers differ.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import pickle
import random
import shutil
import sys
from pathlib import Path
from typing import Any

MARK = "@photoshoot "
STOPPED, NOT_A_NUMBER = 75, 76
"""Exit statuses: ended at the user's word, with its state saved; the loss is not a number."""

POSITION = "position.json"
"""In a state's folder, written last: {"step", "epoch", "epochs", "total", "files"}, the last with sizes by name."""
_RANDOM = "random.pickle"
_STATES_KEPT = 2


def tell(event: str, **values: Any) -> None:
    """Print one event. In one write, so that a bar on the other stream cannot get between."""
    line = f"\n{MARK}{json.dumps({'event': event, **values})}\n"
    sys.stdout.flush()
    os.write(sys.stdout.fileno(), line.encode())


def random_states() -> dict[str, Any]:
    """Return the states of all random number generators that a training uses."""
    states: dict[str, Any] = {"python": random.getstate()}
    if "numpy" in sys.modules:
        states["numpy"] = sys.modules["numpy"].random.get_state()
    torch = sys.modules.get("torch")
    if torch is not None:
        states["torch"] = torch.get_rng_state().numpy().tobytes()
        if torch.cuda.is_available():
            states["cuda"] = [state.cpu().numpy().tobytes() for state in torch.cuda.get_rng_state_all()]
    return states


def restore_random(states: dict[str, Any]) -> None:
    """Put the generators back; those of a machine with other GPUs are left as they are."""
    random.setstate(states["python"])
    if "numpy" in states and "numpy" in sys.modules:
        sys.modules["numpy"].random.set_state(states["numpy"])
    torch = sys.modules.get("torch")
    if torch is None or "torch" not in states:
        return

    def tensor(data: bytes) -> Any:
        return torch.frombuffer(bytearray(data), dtype=torch.uint8)

    torch.set_rng_state(tensor(states["torch"]))
    if len(states.get("cuda", ())) == torch.cuda.device_count() and states.get("cuda"):
        torch.cuda.set_rng_state_all([tensor(data) for data in states["cuda"]])


class StateFolder:
    """The newest state of a run and the one before it; a new one is whole on the disk before the oldest goes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, position: dict[str, int], random_numbers: dict[str, Any], save_state: Any) -> None:
        """``save_state(folder)`` is the trainer's own part, the LoRA with optimizer and schedule."""
        target = self.folder / f"step-{position['step']:08d}"
        if (target / POSITION).exists():  # an epoch's end that is a resume point too
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / f"{target.name}.part"
        shutil.rmtree(part, ignore_errors=True)
        save_state(str(part))
        (part / _RANDOM).write_bytes(pickle.dumps(random_numbers))
        files = [path for path in part.rglob("*") if path.is_file()]
        for path in files:
            _sync(path)
        sizes = {path.relative_to(part).as_posix(): path.stat().st_size for path in files}
        (part / POSITION).write_text(json.dumps({**position, "files": sizes}), encoding="utf-8")
        _sync(part / POSITION)
        shutil.rmtree(target, ignore_errors=True)
        part.rename(target)
        _sync(self.folder)
        for other in sorted(self.folder.iterdir())[:-_STATES_KEPT]:
            shutil.rmtree(other, ignore_errors=True)


def _sync(path: Path) -> None:
    """Onto the disk, as far as the system lets us."""
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


class Hook:
    """What the subclass does beside the training. One for each process; only the first one writes."""

    def __init__(self, run: Path, resume: Path | None) -> None:
        self._states = StateFolder(run / "state")
        self._stop_file = run / "control" / "stop"
        self._lock_file = run / "supervisor.lock"
        self._supervised = "PHOTOSHOOT_SUPERVISED" in os.environ
        self._every = int(os.environ.get("PHOTOSHOOT_STATE_EVERY_STEPS", "0"))
        self._resumed: dict[str, Any] | None = None
        self.step = self._epoch = self._epochs = self._total = 0
        self.dataset: Any = None
        if resume is not None:
            position = json.loads((resume / POSITION).read_text(encoding="utf-8"))
            self.step, self._epoch = position["step"], position["epoch"]
            self._epochs, self._total = position["epochs"], position["total"]
            self._resumed = pickle.loads((resume / _RANDOM).read_bytes())
        self._accelerator: Any = None
        self._epoch_random: dict[str, Any] = {}
        self._losses: list[float] = []
        self._at_boundary = True
        self._network: Any = None
        self._loader: Any = None

    def first_step_of_epoch(self) -> int:
        """Return the steps of the finished epochs together."""
        return self._epoch * (self._total // self._epochs)

    def begin(self, args: Any, accelerator: Any, network: Any) -> None:
        """Begin, now that the LoRA is made; the training loop tells it where each epoch begins, and so it tells us."""
        self._accelerator, self._network = accelerator, network
        begin_epoch = network.on_epoch_start

        def on_epoch_start(*arguments: Any) -> Any:
            self._begin_epoch(args)
            return begin_epoch(*arguments)

        network.on_epoch_start = on_epoch_start

    def _begin_epoch(self, args: Any) -> None:
        self._epochs, self._total = args.max_train_epochs, args.max_train_steps
        if self._resumed is not None:
            self._go_on(args, self._resumed["epoch"])
        self._epoch_random = random_states()
        self._epoch += 1
        self._tell("epoch", epoch=self._epoch, epochs=self._epochs, step=self.step, total=self._total)

    def _go_on(self, args: Any, epoch_random: dict[str, Any]) -> None:
        """At the beginning of the first epoch of a resumed run: the data as they were, less the batches that are done.

        sd-scripts can skip batches itself, but counts them wrongly with accumulated gradients.
        """
        if self.dataset is not None and self._epoch:
            # Shuffled once for every epoch that is done, as in an undisturbed run.
            self.dataset.set_current_epoch(self._epoch)
        restore_random(epoch_random)
        done = (self.step - self.first_step_of_epoch()) * args.gradient_accumulation_steps
        self._loader = self._accelerator._dataloaders[0]
        self._loader.iteration = self._epoch
        self._loader.skip_batches = done
        # The state counts the micro-batch at which it was saved as begun.
        self._accelerator.step = done

    def before_step(self, args: Any) -> None:
        """Act before each micro-batch, when it is loaded and nothing is done with it yet."""
        if self._resumed is not None:
            if self._resumed["step"] is not None:
                restore_random(self._resumed["step"])
            self._loader.skip_batches = 0
            self._resumed = None
        if not self._at_boundary:  # in the middle of an accumulated step
            return
        if self._stop_wanted():
            self._save_state()
            self._save_lora(args)
            self._tell("stopped", step=self.step, total=self._total)
            sys.exit(STOPPED)
        if self._every and self.step and self.step % self._every == 0:
            self._save_state()

    def after_loss(self, loss: Any) -> None:
        """Act on a micro-batch's loss, before it is led back through the network."""
        value = float(loss.detach())
        if self._any(not math.isfinite(value)):
            self._tell("nan", step=self.step + 1)
            sys.exit(NOT_A_NUMBER)
        self._losses.append(value)
        self._at_boundary = bool(self._accelerator.sync_gradients)
        if self._at_boundary:
            self.step += 1
            mean = sum(self._losses) / len(self._losses)
            self._losses.clear()
            self._tell("step", step=self.step, total=self._total, epoch=self._epoch, epochs=self._epochs, loss=mean)

    def end_epoch(self) -> None:
        """Act on an epoch's file that is written. After the last epoch nothing is left to resume."""
        if self.step >= self._total:
            return
        self._epoch_random = {}  # the next epoch's are the ones of this moment
        self._save_state()

    def _save_state(self) -> None:
        now = random_states()
        position = {
            "step": self.step,
            "epoch": self._epoch - bool(self._epoch_random),
            "epochs": self._epochs,
            "total": self._total,
        }
        numbers = {"epoch": self._epoch_random or now, "step": now if self._epoch_random else None}
        accelerator = self._accelerator
        accelerator.wait_for_everyone()
        if accelerator.num_processes == 1:
            self._states.save(position, numbers, accelerator.save_state)
        else:
            self._save_state_of_many(position, numbers)
        self._tell("state", step=self.step, total=self._total)

    def _save_state_of_many(self, position: dict[str, int], numbers: dict[str, Any]) -> None:
        """All processes take part in saving; the first moves the result in place."""
        accelerator = self._accelerator
        shared = self._states.folder / "shared.part"
        accelerator.save_state(str(shared))
        accelerator.wait_for_everyone()
        if accelerator.is_main_process:
            self._states.save(position, numbers, lambda folder: shutil.copytree(shared, folder))
        accelerator.wait_for_everyone()

    def _save_lora(self, args: Any) -> None:
        """Save the LoRA as it is now, ready to use, beside those of the finished epochs."""
        if not self._accelerator.is_main_process or not self.step:
            return
        out = Path(args.output_dir)
        out.mkdir(parents=True, exist_ok=True)
        metadata = {
            "ss_output_name": str(args.output_name),
            "ss_epoch": str(self._epoch - 1),  # finished ones, as in sd-scripts' own files within an epoch
            "ss_steps": str(self.step),
            "ss_network_module": str(args.network_module),
            "ss_network_dim": str(args.network_dim),
            "ss_network_alpha": str(args.network_alpha),
        }
        torch = sys.modules.get("torch")
        kinds = {"fp16": "float16", "bf16": "bfloat16", "float": "float32"}
        dtype = getattr(torch, kinds.get(str(args.save_precision), ""), None)
        network = self._accelerator.unwrap_model(self._network)
        network.save_weights(str(out / f"{args.output_name}-step{self.step:08d}.safetensors"), dtype, metadata)

    def rates(self, logs: dict[str, Any]) -> None:
        """Take in the learning rates, which only the trackers get to know."""
        rates = {"unet_lr": logs.get("lr/unet"), "text_encoder_lr": logs.get("lr/textencoder")}
        known = {name: float(value) for name, value in rates.items() if value is not None}
        if known:
            self._tell("rate", step=self.step, **known)

    def _stop_wanted(self) -> bool:
        return self._any(self._stop_file.exists() or self._supervisor_is_gone())

    def _supervisor_is_gone(self) -> bool:
        """Nobody would ever end this training: it saves its state and goes.

        By the lock that the supervisor holds, not by its process number: a killed child that was not waited for keeps
        that. See ``lib_photoshoot/locks.py``.
        """
        if not self._supervised:  # started by hand, or on another machine
            return False
        try:
            with open(self._lock_file, "r+b") as lock:
                if os.name == "nt":
                    import msvcrt

                    msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
                else:
                    import fcntl

                    fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:  # held, as it should be
            return False
        return True

    def _any(self, mine: bool) -> bool:
        """Whether it is so in any process; all of them ask at the same step."""
        accelerator = self._accelerator
        if accelerator.num_processes == 1:
            return mine
        torch = sys.modules["torch"]
        return bool(accelerator.reduce(torch.tensor([float(mine)], device=accelerator.device), "sum").item())

    def _tell(self, event: str, **values: Any) -> None:
        if self._accelerator.is_main_process:
            # A reader that is gone must not end the training before its state is saved.
            with contextlib.suppress(BrokenPipeError):
                tell(event, **values)


def hooked(trainer: type, hook: Hook) -> type:
    """sd-scripts' ``NetworkTrainer`` with the hook in its own extension points."""

    class PhotoshootTrainer(trainer):  # type: ignore[misc]
        def post_process_network(self, args: Any, accelerator: Any, network: Any, *rest: Any) -> Any:
            result = super().post_process_network(args, accelerator, network, *rest)
            hook.begin(args, accelerator, network)
            return result

        def on_step_start(self, args: Any, *arguments: Any, is_train: bool = True) -> Any:
            if is_train:
                hook.before_step(args)
            return super().on_step_start(args, *arguments, is_train=is_train)

        def process_batch(self, *arguments: Any, is_train: bool = True, **more: Any) -> Any:
            loss = super().process_batch(*arguments, is_train=is_train, **more)
            if is_train:
                hook.after_loss(loss)
            return loss

        def step_logging(self, accelerator: Any, logs: dict[str, Any], *arguments: Any) -> Any:
            hook.rates(logs)
            return super().step_logging(accelerator, logs, *arguments)

        def sample_images(self, accelerator: Any, args: Any, epoch: int | None, *arguments: Any) -> Any:
            result = super().sample_images(accelerator, args, epoch, *arguments)
            if epoch:  # 0 before the first step, None after a step
                hook.end_epoch()
            return result

        def get_sai_model_spec(self, args: Any) -> Any:
            # Joins the file's metadata: after a resume sd-scripts' own count of steps is too low.
            return {**super().get_sai_model_spec(args), "ss_steps": str(hook.step)}

    return PhotoshootTrainer


def main() -> None:
    """Take our two arguments from the front and hand the rest to sd-scripts."""
    sd_scripts, run = (Path(os.path.abspath(sys.argv.pop(1))) for _ in range(2))
    sys.path[0] = str(sd_scripts)  # in place of this folder
    import train_network
    from library import train_util

    parser = train_network.setup_parser()
    args = parser.parse_args()
    train_util.verify_command_line_training_args(args)
    args = train_util.read_config_from_file(args, parser)
    hook = Hook(run, Path(args.resume) if args.resume else None)
    if args.resume:
        # Tells sd-scripts the epoch alone; its own count in the state is wrong after a second resume.
        args.initial_step = hook.first_step_of_epoch()

    class Collator(train_util.collator_class):  # type: ignore[misc, name-defined]
        def __init__(self, epoch: Any, step: Any, dataset: Any) -> None:
            super().__init__(epoch, step, dataset)
            if hook.dataset is None:  # the training set's comes before the validation set's
                hook.dataset = dataset

    train_util.collator_class = Collator
    hooked(train_network.NetworkTrainer, hook)().train(args)


if __name__ == "__main__":
    main()
