"""Nested dicts, lists and tuples of Tensors: taken apart into leaves and put together again."""
from collections import OrderedDict


def flatten(tree):
    """The leaves of `tree` in order, and the structure that `unflatten` needs.

    Dicts keep the order of their keys; named tuples stay what they are. `None` holds no leaf; anything
    that is not a dict, list, tuple or None is one.

    Example:
        >>> leaves, structure = flatten({"w": 1, "b": (2, None)})
        >>> leaves, unflatten(structure, [10, 20])
        ([1, 2], {'w': 10, 'b': (20, None)})
    """
    leaves = []
    return leaves, _take_apart(tree, leaves)


def flatten_as(structure, tree, what="tree"):
    """The leaves of `tree` in the order of `structure`; dicts may have their keys in another order.

    Raises:
        ValueError: `tree` has another structure; the message starts with `what`.
    """
    leaves = []
    if not structure.match(tree, leaves):
        raise ValueError(f"{what}: expected the structure {structure}, got {flatten(tree)[1]}")
    return leaves


def unflatten(structure, leaves):
    """The tree of this structure with these leaves."""
    return structure.build(iter(leaves))


def tree_map(function, tree):
    """The same tree with `function` applied to every leaf."""
    leaves, structure = flatten(tree)
    return unflatten(structure, [function(leaf) for leaf in leaves])


class Structure:
    """A tree without its leaves: the kind of its container (None: it is a leaf), its keys and its parts."""

    __slots__ = ("kind", "keys", "parts")

    def __init__(self, kind, keys=(), parts=()):
        self.kind, self.keys, self.parts = kind, keys, parts

    def build(self, leaves):
        """Fill the containers from an iterator over leaves."""
        if self.kind is None:
            return next(leaves)
        if self.kind is type(None):
            return None
        parts = [part.build(leaves) for part in self.parts]
        if issubclass(self.kind, dict):
            return (OrderedDict if self.kind is OrderedDict else dict)(zip(self.keys, parts))
        return self.kind(*parts) if hasattr(self.kind, "_fields") else self.kind(parts)

    def match(self, tree, leaves):
        """Add the leaves of `tree` to a list; False if its containers are others."""
        if self.kind is None:
            leaves.append(tree)
            return not (isinstance(tree, (dict, list, tuple)) or tree is None)
        if self.kind is type(None):
            return tree is None
        if issubclass(self.kind, dict):
            fits = isinstance(tree, dict) and set(tree) == set(self.keys)
        else:
            fits = type(tree) is self.kind and len(tree) == len(self.keys)
        return fits and all(part.match(tree[key], leaves) for key, part in zip(self.keys, self.parts))

    def paths(self, prefix=""):
        """How each leaf is reached, in order: `['w'][0]`."""
        if self.kind is None:
            return [prefix]
        return [path for key, part in zip(self.keys, self.parts) for path in part.paths(f"{prefix}[{key!r}]")]

    def __repr__(self):
        return repr(self.build(iter([_Star()] * len(self.paths()))))


class _Star:
    def __repr__(self):
        return "*"


_LEAF = Structure(None)


def _take_apart(tree, leaves):
    if isinstance(tree, dict):
        return Structure(type(tree), tuple(tree), tuple([_take_apart(part, leaves) for part in tree.values()]))
    if isinstance(tree, (list, tuple)):
        return Structure(type(tree), tuple(range(len(tree))), tuple([_take_apart(part, leaves) for part in tree]))
    if tree is None:
        return Structure(type(None))
    leaves.append(tree)
    return _LEAF
