"""One module per framework: `MAKERS[workload](data)` returns a function that takes one step and returns a number."""

import importlib

# name in the tables: (module here, package, as it is installed)
PEERS = {
    "tinygrad_notes": ("ours", "tinygrad-notes"),
    "tn.compile": ("ours_compiled", "tinygrad-notes"),
    "tn.compile numpy": ("ours_compiled_numpy", "tinygrad-notes"),
    "torch": ("pytorch", "torch"),
    "torch.compile": ("pytorch_compiled", "torch"),
    "jax": ("jax_jit", "jax"),
    "autograd": ("hips_autograd", "autograd"),
    "mygrad": ("mygrad_peer", "mygrad"),
}
# Those that run on a GPU.
ON_GPU = ("tinygrad_notes", "tn.compile", "torch", "torch.compile", "jax")


def load(name):
    """The module that runs the workloads in framework `name`."""
    return importlib.import_module(f"benchmarks.peers.{PEERS[name][0]}")


def version(name):
    """The installed version of a framework, or None; ours is here, installed or not."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed(PEERS[name][1])
    except PackageNotFoundError:
        return __import__("tinygrad_notes").__version__ if PEERS[name][1] == "tinygrad-notes" else None
