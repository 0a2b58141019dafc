"""Event files that TensorBoard reads, through its own package or tensorboardX, whichever is installed."""
from __future__ import annotations

import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .callback import Callback

if TYPE_CHECKING:
    from os import PathLike

    from .monitor import Monitor

PLACES = (("tensorboard.summary.writer.event_file_writer", "tensorboard.compat.proto"),
          ("tensorboardX.event_file_writer", "tensorboardX.proto"))


def event_writer() -> tuple[Any, Any, Any]:
    """The classes (EventFileWriter, Event, summary_pb2) of whichever package is there.

    Raises:
        ImportError: neither is; says what to install.
    """
    for writer, proto in PLACES:
        try:
            return (import_module(writer).EventFileWriter, import_module(f"{proto}.event_pb2").Event,
                    import_module(f"{proto}.summary_pb2"))
        except ImportError:
            continue
    raise ImportError("event files of TensorBoard need its package: pip install 'tinygrad-notes[tensorboard]' (or pip "
                      "install tensorboardX)")


class TensorBoard(Callback):
    """Writes the history, and what a `Monitor` sees, as event files for TensorBoard.

    Tags are `loss/train` and `loss/valid` for the columns `loss` and `valid_loss`, and so on; `weights/PATH/update` and
    `dead/PATH` for the numbers of the monitor, `outputs/PATH` and `gradients/PATH` for its histograms.

    Args:
        folder: of the event files; made if needed. Show it with `tensorboard --logdir FOLDER`.
        monitor: a `Monitor` that is among the callbacks too, before this one.

    Raises:
        ImportError: neither `tensorboard` nor `tensorboardX` is installed.

    Source: the format, Abadi et al. 2015, TensorFlow, section 9.1; tensorboard/compat/proto/event.proto.

    Example:
        >>> import tinygrad_notes as tn, tempfile
        >>> def watched_run(model, data, folder):
        ...     monitor = tn.train.Monitor()
        ...     return tn.train.fit(model, data, tn.optim.SGD(model.parameters(), lr=0.1), epochs=5,
        ...                         callbacks=[monitor, tn.train.TensorBoard(folder, monitor)])
    """

    def __init__(self, folder: str | PathLike[str], monitor: Monitor | None = None) -> None:
        self._writer_class, self._event, self._summary = event_writer()
        self.folder, self.monitor = str(folder), monitor
        self._writer, self._seen = None, -1

    def begin(self, trainer: Any) -> None:
        """Open a file; what was written by earlier parts of the run is in theirs."""
        self._writer = self._writer_class(self.folder)
        if self.monitor is not None and self.monitor.rows:
            self._seen = self.monitor.rows[-1]["step"]

    def __call__(self, trainer: Any, row: dict[str, Any]) -> None:
        """Write the row of an epoch, and what the monitor has seen since the last."""
        values = []
        for key, value in row.items():
            if key not in ("epoch", "step") and value is not None:
                base = key.removeprefix("valid_")
                tag = key if key == "lr" else f"{base}/{'valid' if base != key else 'train'}"
                values.append(self._number(tag, value))
        self._write(values, row["step"])
        for seen in self.monitor.rows if self.monitor is not None else ():
            if seen["step"] > self._seen:
                self._seen = seen["step"]
                self._write(self._inside(seen), seen["step"])
        if self._writer is not None:
            self._writer.flush()

    def end(self, trainer: Any) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _inside(self, seen):
        values = [self._number(f"weights/{path}/{name}", value) for path, numbers in seen["weights"].items()
                  for name, value in numbers.items()]
        values += [self._number(f"dead/{path}", share) for path, share in seen["dead"].items()]
        values += [self._histogram(f"{kind}/{path}", found) for kind in ("outputs", "gradients")
                   for path, found in seen[kind].items()]
        return values

    def _number(self, tag, value):
        return self._summary.Summary.Value(tag=tag, simple_value=float(value))

    def _histogram(self, tag, found):
        (low, high), counts = found["range"], found["counts"]
        total = sum(counts)
        width = (high - low) / len(counts) or 1e-12
        limits = [low + width * (k + 1) for k in range(len(counts))]
        return self._summary.Summary.Value(tag=tag, histo=self._summary.HistogramProto(
            min=found["low"], max=found["high"], num=total, sum=found["mean"] * total,
            sum_squares=(found["std"]**2 + found["mean"]**2) * total, bucket_limit=limits, bucket=counts))

    def _write(self, values, step):
        if self._writer is not None and values:
            self._writer.add_event(self._event(wall_time=time.time(), step=step,
                                               summary=self._summary.Summary(value=values)))
