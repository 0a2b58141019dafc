"""tinygrad_notes, the step compiled; as C where there is a compiler."""

import tinygrad_notes as tn

from . import ours


def compiled(maker, **options):
    """A maker whose step is compiled."""
    return lambda data: tn.compile(maker(data), **options)


set_threads, set_device, peak_bytes = ours.set_threads, ours.set_device, ours.peak_bytes
MAKERS = {name: compiled(maker) for name, maker in ours.MAKERS.items()}
