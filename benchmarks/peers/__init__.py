"""One module per framework: `MAKERS[workload](data)` returns a function that takes one step and returns a number."""

import importlib

PEERS = {
    "tinygrad_notes": "ours",
    "torch": "pytorch",
    "jax": "jax_jit",
    "autograd": "hips_autograd",
    "mygrad": "mygrad_peer",
}
PACKAGES = {
    "tinygrad_notes": "tinygrad_notes",
    "torch": "torch",
    "jax": "jax",
    "autograd": "autograd",
    "mygrad": "mygrad",
}


def load(name):
    """The module that runs the workloads in framework `name`."""
    return importlib.import_module(f"benchmarks.peers.{PEERS[name]}")


def version(name):
    """The installed version of a framework, or None."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed({"tinygrad_notes": "tinygrad-notes"}.get(name, PACKAGES[name]))
    except PackageNotFoundError:
        return None
