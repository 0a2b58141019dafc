"""Tokens: the merges of the book, any text there and back; windows that ask for every token once."""
from collections import Counter

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.data import BPETokenizer, CharTokenizer, TokenWindows, learn_merges
from tinygrad_notes.data.text import corpus, split
from tinygrad_notes.data.tokenizer import merged

pytestmark = pytest.mark.host_only
SAILOR = ("a sailor went to sea sea sea to see what he could see see see but all that he could see see see was the "
          "bottom of the deep blue sea sea sea")
WOODCHUCK = "How much wood could a woodchuck chuck if a woodchuck could chuck wood"


def spelled(text):
    """Words as letters with a mark at their end, as UDL notebook 12.3 has them."""
    return Counter((*word, "</w>") for word in text.split())


def naive(words, count):
    """The merges, with all pairs counted anew each time."""
    merges = []
    for _ in range(count):
        pairs = Counter()
        for word, n in words.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += n
        if not pairs:
            break
        merges.append(max(pairs, key=pairs.get))
        words = {tuple(merged(word, merges[-1])): n for word, n in words.items()}
    return merges, {symbol for word in words for symbol in word}


@pytest.mark.row("S0-T28")
def test_merges_are_those_of_the_book():
    words = spelled(SAILOR)
    assert len({symbol for word in words for symbol in word}) == 19
    merges = learn_merges(words, 22)
    assert merges[:5] == [("s", "e"), ("e", "</w>"), ("a", "</w>"), ("se", "e</w>"), ("se", "a</w>")]
    assert merges == naive(words, 22)[0] and len(naive(words, 22)[1]) == 27
    words = spelled(WOODCHUCK)
    assert len({symbol for word in words for symbol in word}) == 14
    assert learn_merges(words, 24) == naive(words, 24)[0] and len(naive(words, 24)[1]) == 8


@pytest.mark.parametrize("seed", range(5))
def test_merges_are_those_of_counting_everything_anew(seed):
    rng = np.random.default_rng(seed)
    words = Counter(tuple(rng.choice(list("abc"), rng.integers(1, 9))) for _ in range(30))
    assert learn_merges(words, 40) == naive(words, 40)[0]
    assert learn_merges({}, 3) == [] == learn_merges(words, 0)


@pytest.mark.parametrize("text", ["", "sea", "Straße — 2 °C\n\n\t x  ", "a\x00b\r\n", "\U0001f600 sea sea"])
def test_any_text_goes_there_and_back(text):
    tokenizer = BPETokenizer(SAILOR, 280)
    tokens = tokenizer.encode(text)
    assert tokenizer.decode(tokens) == text and all(0 <= k < tokenizer.vocab_size for k in tokens)
    assert len(tokens) <= len(text.encode())


def test_frequent_words_are_one_token():
    tokenizer = BPETokenizer(SAILOR, 300)
    assert tokenizer.vocab_size <= 300 and tokenizer.encode(" see sea") != tokenizer.encode(" sea see")
    assert [tokenizer.tokens[k] for k in tokenizer.encode(" sea see")] == [b" sea", b" see"]


def test_characters_are_numbered_in_order():
    letters = CharTokenizer("sea")
    assert letters.alphabet == "aes" and letters.decode(letters.encode("seas")) == "seas"
    with pytest.raises(ValueError, match="character 'x' does not occur"):
        letters.encode("sex")
    with pytest.raises(ValueError, match="the text is empty"):
        CharTokenizer("")


def test_the_corpus_says_everything_once():
    text = corpus()
    paragraphs = [p for p in text.split("\n\n") if p.strip()]
    assert len(text) > 200_000 and max(Counter(paragraphs).values()) == 1
    train, test = split(text)
    assert len(train) + len(test) == len(text) and len(test) == pytest.approx(len(text) / 10, rel=0.01)
    at = text.index(test[:500])
    assert at > 0 and text[:at] == train[:at]


def test_windows_ask_for_every_token_once():
    windows = TokenWindows(np.arange(14), 4)
    assert len(windows) == 3
    inputs, targets = windows.batch(slice(None))
    assert inputs.numpy().ravel().tolist() == list(range(12)) and targets.numpy().ravel().tolist() == list(range(1, 13))
    assert windows.batch([2, 0])[0].tolist() == [[8, 9, 10, 11], [0, 1, 2, 3]]
    halves = TokenWindows(np.arange(14), 4, 2)
    assert len(halves) == 5 and halves[4][1].tolist() == [9, 10, 11, 12]
    assert len(TokenWindows(np.arange(5), 4)) == 1
    for tokens, length in ((np.arange(4), 4), (np.zeros((2, 9)), 4)):
        with pytest.raises(ValueError, match="windows of 4 need more tokens"):
            TokenWindows(tokens, length)


def test_the_catalog_has_the_text_both_ways():
    for name in ("text", "text-chars"):
        source = tn.data.find(name)
        assert source.kind == "text" and source.classes == source.tokenizer.vocab_size
        inputs, targets = source.test.batch([0, 1])
        assert inputs.shape == (2, *source.shape) and inputs[0, 1:].tolist() == targets[0, :-1].tolist()
        assert source.tokenizer.decode(source.test.tokens) == split(corpus())[1]
