"""PyTorch, the loss of each workload compiled by `torch.compile`."""

import torch

from . import pytorch


def _compiled(maker):
    def make(data):
        pytorch.transform = torch.compile
        try:
            return maker(data)
        finally:
            pytorch.transform = pytorch.eager

    return make


set_threads, set_device, peak_bytes = pytorch.set_threads, pytorch.set_device, pytorch.peak_bytes
# It refuses to differentiate a compiled function twice, which MAML does.
MAKERS = {name: _compiled(maker) for name, maker in pytorch.MAKERS.items() if name != "maml"}
