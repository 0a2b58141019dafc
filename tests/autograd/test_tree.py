"""Nested containers: taken apart and put together again."""
from collections import OrderedDict, namedtuple

import pytest

from tinygrad_notes.autograd.tree import flatten, flatten_as, tree_map, unflatten

Pair = namedtuple("Pair", "left right")
TREES = [1, "leaf", (), [], {}, None, [1, 2], (1, (2, [3])), {"b": 1, "a": {"c": None}}, Pair(1, Pair(2, None)),
         OrderedDict(z=1, y=[2]), [None, (None,)], {0: (1,), "0": [2]}]


@pytest.mark.parametrize("tree", TREES, ids=repr)
def test_round_trip(tree):
    leaves, structure = flatten(tree)
    built = unflatten(structure, leaves)
    assert built == tree and type(built) is type(tree)
    assert len(structure.paths()) == len(leaves)
    assert flatten_as(structure, tree) == leaves


def test_leaves_come_in_order_with_their_paths():
    leaves, structure = flatten({"b": [1, 2], "a": (3, {"c": 4})})
    assert leaves == [1, 2, 3, 4]
    assert structure.paths() == ["['b'][0]", "['b'][1]", "['a'][0]", "['a'][1]['c']"]


def test_map_keeps_the_containers():
    assert tree_map(lambda n: n * 2, {"a": [1, 2], "b": Pair(3, None)}) == {"a": [2, 4], "b": Pair(6, None)}


def test_dicts_match_whatever_the_order_of_their_keys():
    _, structure = flatten({"a": 1, "b": [2, 3]})
    assert flatten_as(structure, {"b": [20, 30], "a": 10}) == [10, 20, 30]


@pytest.mark.parametrize("other", [
    1, [1, [2, 3]], {"a": 1}, {"a": 1, "b": (2, 3)}, {"a": 1, "b": [2]}, {"a": [1], "b": [2, 3]}, {"a": 1, "c": [2, 3]},
    {"a": None, "b": [2, 3]}, None], ids=repr)
def test_another_structure_is_refused(other):
    _, structure = flatten({"a": 1, "b": [2, 3]})
    with pytest.raises(ValueError, match=r"vectors: expected the structure \{'a': \*, 'b': \[\*, \*\]\}"):
        flatten_as(structure, other, "vectors")
