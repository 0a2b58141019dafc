"""Transformer layers against their formulas, finite differences, and PyTorch."""

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.nn import functional as F

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.standard_normal(shape)


def layer_norm(x, layer):
    scaled = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + layer.eps)
    return scaled * layer.weight.numpy() + layer.bias.numpy()


def perceptron(x, layer):
    hidden = np.maximum(x @ layer.linear1.weight.numpy().T + layer.linear1.bias.numpy(), 0)
    return hidden @ layer.linear2.weight.numpy().T + layer.linear2.bias.numpy()


def attended(attention, x, memory, mask=None):
    inputs = [tn.tensor(a) for a in (x, memory, memory)]
    return attention(*inputs, need_weights=False, attn_mask=mask)[0].numpy()


def shaken(layer):
    """The layer in float64 with parameters of random values, scales of normalization included."""
    layer.double().load_state_dict({k: 0.5 * normal(*v.shape) for k, v in layer.state_dict().items()})
    return layer


@pytest.mark.row("S0-T26")
@pytest.mark.parametrize("norm_first", [False, True])
def test_an_encoder_layer_and_a_block_are_their_formula(norm_first):
    x = normal(2, 5, 8)
    encoder = shaken(nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True, norm_first=norm_first))
    block = nn.TransformerBlock(8, 2, 16, activation="relu", norm_first=norm_first, causal=False).double()
    block.load_state_dict(encoder.state_dict())
    if norm_first:
        h = layer_norm(x, encoder.norm1)
        y = x + attended(encoder.self_attn, h, h)
        wanted = y + perceptron(layer_norm(y, encoder.norm2), encoder)
    else:
        y = layer_norm(x + attended(encoder.self_attn, x, x), encoder.norm1)
        wanted = layer_norm(y + perceptron(y, encoder), encoder.norm2)
    for layer in (encoder, block):
        np.testing.assert_allclose(layer(tn.tensor(x)).numpy(), wanted, rtol=1e-10, atol=1e-12)
    mask = F.causal_mask(5)
    block.causal = True
    np.testing.assert_allclose(block(tn.tensor(x)).numpy(), encoder(tn.tensor(x), mask).numpy(), rtol=1e-11, atol=1e-12)


@pytest.mark.row("S0-T26")
def test_layer_norm_has_mean_zero_and_variance_one():
    out = nn.LayerNorm(7, eps=0.0).double()(tn.tensor(3 * normal(4, 7) + 2)).numpy()
    np.testing.assert_allclose(out.mean(-1), 0, atol=1e-13)
    np.testing.assert_allclose(out.var(-1), 1, rtol=1e-12)


@pytest.mark.parametrize("norm_first", [False, True])
def test_a_decoder_layer_is_its_formula(norm_first):
    x, memory, mask = normal(4, 2, 8), normal(6, 2, 8), F.causal_mask(4)
    layer = shaken(nn.TransformerDecoderLayer(8, 2, 16, 0.0, norm_first=norm_first))
    if norm_first:
        h = layer_norm(x, layer.norm1)
        y = x + attended(layer.self_attn, h, h, mask)
        y = y + attended(layer.multihead_attn, layer_norm(y, layer.norm2), memory)
        wanted = y + perceptron(layer_norm(y, layer.norm3), layer)
    else:
        y = layer_norm(x + attended(layer.self_attn, x, x, mask), layer.norm1)
        y = layer_norm(y + attended(layer.multihead_attn, y, memory), layer.norm2)
        wanted = layer_norm(y + perceptron(y, layer), layer.norm3)
    found = layer(tn.tensor(x), tn.tensor(memory), mask, tgt_is_causal=True)
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-10, atol=1e-12)


def test_gradients():
    x, memory = tn.tensor(normal(2, 3, 4)), tn.tensor(normal(2, 4, 4))
    encoder = nn.TransformerEncoderLayer(4, 2, 6, 0.0, "gelu", batch_first=True, norm_first=True)
    decoder = nn.TransformerDecoderLayer(4, 2, 6, 0.0, "gelu", batch_first=True)
    assert tn.testing.check_module(encoder, lambda: encoder(x) ** 2, elements=1)
    assert tn.testing.check_module(decoder, lambda: decoder(x, memory) ** 2, elements=1)
    block = nn.TransformerBlock(4, 2, 6, rotary=nn.RotaryEmbedding(2)).double()
    assert tn.gradgradcheck(lambda x, w: tn.nn.functional_call(block, {"self_attn.in_proj_weight": w}, x),
                            [x, block.self_attn.in_proj_weight], fast_mode=True)


def test_stacks_copy_their_layer_and_end_with_a_norm():
    layer = nn.TransformerEncoderLayer(8, 2, 16, 0.0)
    stack = nn.TransformerEncoder(layer, 2, nn.LayerNorm(8))
    assert [k.split(".")[1] for k in stack.state_dict() if k.endswith("linear1.weight")] == ["0", "1"]
    assert stack.layers[0].linear1.weight is not stack.layers[1].linear1.weight
    np.testing.assert_array_equal(stack.layers[0].linear1.weight.numpy(), layer.linear1.weight.numpy())
    x = tn.tensor(normal(3, 2, 8), dtype="float32")
    mask = F.causal_mask(3)
    wanted = stack.norm(stack.layers[1](stack.layers[0](x, mask), mask))
    for option in (None, True, False):
        np.testing.assert_allclose(stack(x, mask, is_causal=option).numpy(), wanted.numpy(), rtol=2e-4, atol=2e-6)
    np.testing.assert_allclose(stack(x, tn.tensor(mask.numpy() < 0)).numpy(), wanted.numpy(), rtol=2e-4, atol=2e-6)


def test_dropout_acts_in_training_alone():
    layer, x = nn.TransformerEncoderLayer(8, 2, 16, 0.5), tn.tensor(normal(3, 2, 8), dtype="float32")
    assert np.any(layer(x).numpy() != layer(x).numpy())
    layer.eval()
    np.testing.assert_array_equal(layer(x).numpy(), layer(x).numpy())
    assert [m.p for m in layer.modules() if isinstance(m, nn.Dropout)] == [0.5] * 3 and layer.self_attn.dropout == 0.5


def test_transformer_joins_encoder_and_decoder():
    model = nn.Transformer(8, 2, 1, 2, 16, 0.0, batch_first=True).double()
    src, tgt = tn.tensor(normal(3, 5, 8)), tn.tensor(normal(3, 4, 8))
    mask, padding = model.generate_square_subsequent_mask(4), tn.tensor(np.arange(5) >= np.array([[5], [4], [2]]))
    out = model(src, tgt, tgt_mask=mask, src_key_padding_mask=padding, memory_key_padding_mask=padding)
    memory = model.encoder(src, src_key_padding_mask=padding)
    np.testing.assert_allclose(out.numpy(), model.decoder(tgt, memory, mask, memory_key_padding_mask=padding).numpy())
    alone = model(src[2, :2], tgt[2], tgt_mask=mask)  # padding is as if it were not there
    np.testing.assert_allclose(out.numpy()[2], alone.numpy(), rtol=1e-9, atol=1e-11)
    limit = np.sqrt(6 / (8 + 24))
    assert all(np.abs(w.numpy()).max() <= limit for k, w in model.named_parameters() if "in_proj_weight" in k)
    inside = nn.Sequential(nn.Linear(8, 8))
    assert nn.Transformer(8, 2, custom_encoder=inside, num_decoder_layers=1).encoder is inside


X = tn.zeros((3, 2, 8))


@pytest.mark.parametrize("make, words", [
    (lambda: nn.TransformerEncoderLayer(8, 3), "divisor of embed_dim 8"),
    (lambda: nn.TransformerEncoderLayer(8, 2, activation="swish"), "activation: expected 'relu', 'gelu' or a function"),
    (lambda: nn.TransformerEncoderLayer(8, 2, dropout=-1.0), "dropout"),
    (lambda: nn.TransformerEncoder(nn.Linear(2, 2), -1), "num_layers"),
    (lambda: nn.TransformerEncoderLayer(8, 2, 4)(X, is_causal=True), "give that too"),
    (lambda: nn.Transformer(8, 2, 1, 1, 4)(X, X[:, :1]), "equal batches on axis 1"),
    (lambda: nn.Transformer(8, 2, 1, 1, 4)(X[..., :4], X), "expected d_model 8 features"),
    (lambda: nn.Transformer(8, 2, 1, 1, 4)(X, X[0]), "three axes each, or two"),
    (lambda: nn.Transformer(8, 2, 1, 1, 4)(X, X, tgt_mask=tn.zeros((2, 2))), "attn_mask: expected shape"),
])
def test_what_raises(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
@pytest.mark.parametrize("options", [
    {}, {"batch_first": True, "norm_first": True, "activation": "gelu"}, {"bias": False}], ids=str)
def test_same_as_pytorch(options):
    torch = pytest.importorskip("torch")
    given = {"d_model": 8, "nhead": 2, "num_encoder_layers": 1, "num_decoder_layers": 2, "dim_feedforward": 12,
             "dropout": 0.0, **options}
    theirs, ours = torch.nn.Transformer(**given).double(), nn.Transformer(**given).double()
    assert [(k, tuple(v.shape)) for k, v in theirs.state_dict().items()] == [
        (k, v.shape) for k, v in ours.state_dict().items()]
    ours.load_state_dict(theirs.state_dict())
    arrays = [normal(3, 3, 8), normal(3, 3, 8)]
    xs = [tn.tensor(a, requires_grad=True) for a in arrays]
    ys = [torch.tensor(a, requires_grad=True) for a in arrays]
    padding = np.arange(3) >= np.array([[3], [2], [3]])
    out = ours(*xs, tgt_mask=ours.generate_square_subsequent_mask(3), memory_key_padding_mask=tn.tensor(padding))
    wanted = theirs(*ys, tgt_mask=theirs.generate_square_subsequent_mask(3, dtype=torch.float64),
                    memory_key_padding_mask=torch.tensor(padding))
    np.testing.assert_allclose(out.numpy(), wanted.detach().numpy(), rtol=1e-9, atol=1e-11)
    (out ** 3).sum().backward()
    (wanted ** 3).sum().backward()
    for a, b in [*zip(xs, ys), *zip(ours.parameters(), theirs.parameters())]:
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-7, atol=1e-9)


def language_model(rotary):
    """A step of a small language model with every kind of randomness and position."""
    turn = nn.RotaryEmbedding(4) if rotary else None
    places = nn.PositionalEncoding(8) if rotary else nn.LearnedPositionalEncoding(6, 8)
    model = nn.Sequential(nn.Embedding(7, 8), places,
                          nn.TransformerBlock(8, 2, dropout=0.3, rotary=turn),
                          nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), nn.Linear(8, 7))
    optimizer = tn.optim.AdamW(model.parameters(), lr=1e-2)

    def step(x, y):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x).reshape(-1, 7), y.reshape(-1))
        loss.backward()
        optimizer.step()
        return loss
    return model, step


@pytest.mark.host_only
@pytest.mark.parametrize("rotary", [False, True])
def test_a_recorded_step_equals_the_plain_one(rotary):
    from tinygrad_notes.program.compiled import compile
    losses, models, batches = [], [], RNG.integers(0, 7, (4, 2, 3, 6))
    for compiled in (False, True):
        tn.manual_seed(0)
        model, step = language_model(rotary)
        step = compile(step) if compiled else step
        losses.append([step(tn.tensor(x), tn.tensor(y)).item() for x, y in batches])
        models.append(model)
    assert step.recorded == 1 and not step.broken
    np.testing.assert_allclose(*losses, rtol=1e-5)
    for (name, a), b in zip(models[0].named_parameters(), models[1].parameters()):
        if not name.endswith("in_proj_bias"):  # the gradient of a key's offset is 0 but for rounding, which Adam scales
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-3, atol=1e-4, err_msg=name)
