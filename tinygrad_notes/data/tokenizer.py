"""Text as numbers: one per character, or one per piece that byte-pair merges have made."""
from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from .stream import positive

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

PIECES = re.compile(r" ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+(?=\S)|\s+")  # words keep the space before them


class CharTokenizer:
    """A number for each character that occurs in a text.

    Args:
        text: what the alphabet is made of.

    Attributes:
        vocab_size: the number of tokens, V.

    Raises:
        ValueError: the text is empty; at `encode`: a character does not occur in it.

    Example:
        >>> import tinygrad_notes as tn
        >>> letters = tn.data.CharTokenizer("hello")
        >>> letters.encode("hole"), letters.decode([1, 0])
        ([1, 3, 2, 0], 'he')
    """

    def __init__(self, text: str) -> None:
        self.alphabet = "".join(sorted(set(text)))
        if not self.alphabet:
            raise ValueError("CharTokenizer: the text is empty")
        self.vocab_size = len(self.alphabet)
        self._number = {letter: k for k, letter in enumerate(self.alphabet)}

    def encode(self, text: str) -> list[int]:
        """The numbers of the characters of a text."""
        try:
            return [self._number[letter] for letter in text]
        except KeyError as error:
            raise ValueError(f"CharTokenizer: character {error} does not occur in the text it was made of") from None

    def decode(self, tokens: Iterable[int]) -> str:
        """The text that tokens stand for."""
        return "".join(self.alphabet[int(k)] for k in tokens)

    def __repr__(self) -> str:
        return f"CharTokenizer(vocab_size={self.vocab_size})"


def learn_merges(words: Mapping[Any, int], count: int) -> list[tuple[Any, Any]]:
    """Join the most frequent pair of neighbours, again and again.

    Formula: (a, b) = argmax over pairs of sum over words w of count(w) * (places of (a, b) in w), and a b becomes one
        symbol.

    Args:
        words: how often each word occurs, a word being a sequence of symbols that can be added (str or bytes).
        count: how many merges; fewer are made where no pair is left.

    Returns:
        The merges, pairs of symbols in the order in which they were made. Of equally frequent pairs the one that occurs
        first is merged.

    Raises:
        ValueError: `count` is negative.

    Source: Sennrich, Haddow & Birch 2016, "Neural machine translation of rare words with subword units", algorithm 1;
        UDL 12.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.data.learn_merges({("s", "e", "a"): 3, ("s", "e", "e"): 1}, 2)
        [('s', 'e'), ('se', 'a')]
    """
    count = positive("count", count, 0)
    spelled, often = [list(word) for word in words], list(words.values())
    pairs: Counter = Counter()
    where = defaultdict(set)  # which words a pair has been seen in; it may be gone from some of them
    for k, word in enumerate(spelled):
        for pair in zip(word, word[1:]):
            pairs[pair] += often[k]
            where[pair].add(k)
    merges: list[tuple[Any, Any]] = []
    while len(merges) < count and pairs:
        most = max(pairs.values())
        if most <= 0:
            break
        best = min((pair for pair, n in pairs.items() if n == most), key=lambda pair: _first(pair, where, spelled))
        merges.append(best)
        for k in where.pop(best):
            old, new = spelled[k], merged(spelled[k], best)
            if len(new) == len(old):
                continue
            pairs.subtract({pair: often[k] * n for pair, n in Counter(zip(old, old[1:])).items()})
            for pair in zip(new, new[1:]):
                pairs[pair] += often[k]
                where[pair].add(k)
            spelled[k] = new
        pairs.pop(best, None)
    return merges


def _first(pair, where, spelled):
    """Where a pair first occurs: number of the word, place in it."""
    for k in sorted(where[pair]):
        for place, found in enumerate(zip(spelled[k], spelled[k][1:])):
            if found == pair:
                return k, place
    raise AssertionError(f"{pair} is counted but occurs nowhere")


def merged(word: Sequence[Any], pair: tuple[Any, Any]) -> list[Any]:
    """A word in which each occurrence of a pair, from the left, is one symbol.

    Example:
        >>> from tinygrad_notes.data.tokenizer import merged
        >>> merged(["s", "e", "s", "e"], ("s", "e"))
        ['se', 'se']
    """
    out: list[Any] = []
    k = 0
    while k < len(word):
        if k + 1 < len(word) and word[k] == pair[0] and word[k + 1] == pair[1]:
            out.append(word[k] + word[k + 1])
            k += 2
        else:
            out.append(word[k])
            k += 1
    return out


class BPETokenizer:
    """Byte pairs: frequent runs of bytes are one token each, and any text at all can be written.

    The text is cut into words, numbers, signs and blanks, words with the space before them; merges stay inside these.

    Args:
        text: what the merges are learned from.
        vocab_size: V: 256 bytes and up to V - 256 merges.

    Attributes:
        vocab_size: how many tokens there are; fewer than asked for where the text has no more pairs.
        tokens: the bytes of each token.

    Raises:
        ValueError: `vocab_size` is below 256.

    Source: Sennrich, Haddow & Birch 2016; over bytes: Radford et al. 2019, "Language models are unsupervised multitask
        learners", section 2.2.

    Example:
        >>> import tinygrad_notes as tn
        >>> pairs = tn.data.BPETokenizer("to sea sea sea to see", 260)
        >>> tokens = pairs.encode("to sea")
        >>> [pairs.tokens[k] for k in tokens], pairs.decode(tokens)
        ([b'to', b' sea'], 'to sea')
    """

    def __init__(self, text: str, vocab_size: int = 512) -> None:
        vocab_size = positive("vocab_size", vocab_size, 256)
        counts = Counter(PIECES.findall(text))
        words = {tuple(bytes([b]) for b in word.encode()): n for word, n in counts.items()}
        self.merges = learn_merges(words, vocab_size - 256)
        self.tokens = list(dict.fromkeys([bytes([b]) for b in range(256)] + [a + b for a, b in self.merges]))
        self.vocab_size = len(self.tokens)
        self._number = {token: k for k, token in enumerate(self.tokens)}
        self._rank = {pair: k for k, pair in enumerate(self.merges)}
        self._known: dict[str, list[int]] = {}

    def encode(self, text: str) -> list[int]:
        """The tokens of any text."""
        return [token for word in PIECES.findall(text) for token in self._word(word)]

    def _word(self, word):
        found = self._known.get(word)
        if found is None:
            symbols = [bytes([b]) for b in word.encode()]
            while len(symbols) > 1:
                pair = min(zip(symbols, symbols[1:]), key=lambda pair: self._rank.get(pair, len(self._rank)))
                if pair not in self._rank:
                    break
                symbols = merged(symbols, pair)
            found = self._known[word] = [self._number[s] for s in symbols]
        return found

    def decode(self, tokens: Iterable[int]) -> str:
        """The text that tokens stand for; bytes that are no UTF-8 become the sign for that."""
        return b"".join(self.tokens[int(k)] for k in tokens).decode(errors="replace")

    def __repr__(self) -> str:
        return f"BPETokenizer(vocab_size={self.vocab_size})"
