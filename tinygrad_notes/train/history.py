"""What was measured, one row per epoch."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..viz import plot_curves
from .files import write_json, write_rows

if TYPE_CHECKING:
    from collections.abc import Iterator


class History:
    """Rows of numbers, one per epoch; a column by name.

    Args:
        rows: those there are already, dicts such as {"epoch": 1, "step": 23, "lr": 0.001, "loss": 2.1}.

    Example:
        >>> import tinygrad_notes as tn
        >>> history = tn.train.History([{"epoch": 1, "loss": 3.0}, {"epoch": 2, "loss": 2.0}])
        >>> history["loss"], history[-1]
        ([3.0, 2.0], {'epoch': 2, 'loss': 2.0})
    """

    def __init__(self, rows=()):
        self.rows = [dict(row) for row in rows]

    def append(self, row):
        """Add the row of an epoch."""
        self.rows.append(dict(row))

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict]:
        return iter(self.rows)

    def __getitem__(self, key: Any) -> Any:
        """A column by name (None where a row has no such entry), or rows by number.

        Raises:
            KeyError: no row has such a column; the message lists those there are.
        """
        if not isinstance(key, str):
            return self.rows[key]
        if not any(key in row for row in self.rows):
            raise KeyError(f"history has no column {key!r}; it has {', '.join(self.columns) or 'none yet'}")
        return [row.get(key) for row in self.rows]

    @property
    def columns(self) -> list[str]:
        """The names of all columns, in the order of first appearance."""
        return list(dict.fromkeys(key for row in self.rows for key in row))

    def curve(self, key):
        """The epochs and the values of a column, without the rows that lack it: what a plot needs."""
        found = [(row.get("epoch", k + 1), row[key]) for k, row in enumerate(self.rows) if row.get(key) is not None]
        return [x for x, _ in found], [y for _, y in found]

    def plot(self, columns=None, **options):
        """The curves of some columns ("loss" by default), with their held-out twins, as a picture.

        Args:
            columns: one name or several.
            **options: of `tn.viz.plot_curves`, such as `logy` and `smooth`.
        """
        from .live import history_curves

        return plot_curves(history_curves(self, columns), **options)

    def to_csv(self, path):
        """Write a table with one line per epoch."""
        write_rows(path, self.rows)

    def to_json(self, path):
        """Write a list of objects, one per epoch."""
        write_json(path, self.rows)

    def __repr__(self):
        return f"History({len(self.rows)} epochs: {', '.join(self.columns)})"
