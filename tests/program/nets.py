"""Small networks that are exported and saved."""
import tinygrad_notes as tn

nn, F = tn.nn, tn.nn.functional


class Residual(nn.Module):
    """A residual block with batch normalization, and a classifier behind it."""

    def __init__(self):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.conv2, self.norm2 = nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.skip, self.pool, self.head = nn.Conv2d(3, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Linear(4, 3)

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        y = F.relu(self.norm2(self.conv2(y)) + self.skip(x))
        return self.head(tn.reshape(self.pool(y), (x.shape[0], 4)))


class GPT(nn.Module):
    """Two layers of causal self-attention over embedded tokens."""

    def __init__(self):
        super().__init__()
        self.token, self.place = nn.Embedding(11, 16), nn.Embedding(6, 16)
        layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, norm_first=True, activation="gelu")
        self.body, self.head = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), nn.Linear(16, 11)

    def forward(self, tokens):
        n = tokens.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(n)
        return self.head(self.body(self.token(tokens) + self.place(tn.arange(n)), mask=mask, is_causal=True))
