"""Modules to draw."""
import tinygrad_notes as tn
from tinygrad_notes import nn


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.norm = nn.Linear(6, 6), nn.LayerNorm(6)

    def forward(self, x):
        return x + self.norm(tn.tanh(self.a(x)))


class Deep(nn.Module):
    def __init__(self, n=5):
        super().__init__()
        self.blocks, self.head = nn.ModuleList([Block() for _ in range(n)]), nn.Linear(6, 2)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(x)
