"""Convolutional networks at the command line."""
from ..cnn import LeNet, SignalConvNet
from ..resnet import BasicBlock, Bottleneck, ResNet
from ..vit import ViT
from .classes import PLOTS, pictures, report
from .recipe import Recipe


def _build_cnn(source, dtype, device, *, channels: tuple = (32, 64), hidden: int = 128, dropout: float = 0.4):
    home = {"device": device, "dtype": dtype}
    if source.kind == "signal":  # as many layers as a signal of 40 places has room for
        return SignalConvNet(source.shape[0], source.classes, (channels[-1],) * 3, dropout=dropout, norm=True, **home)
    return LeNet(source.planes, source.classes, channels, hidden, dropout=dropout, **home)


def _build_resnet(source, dtype, device, *, layers: tuple = (2, 2), width: int = 16, bottleneck: bool = False):
    return ResNet(Bottleneck if bottleneck else BasicBlock, layers, source.classes, in_channels=source.planes[0],
                  width=width, small=True, shape=source.planes, device=device, dtype=dtype)


def _build_vit(source, dtype, device, *, patch: int = 2, width: int = 64, heads: int = 4, layers: int = 3,
               dropout: float = 0.1):
    return ViT(source.planes, source.classes, patch, width, heads, layers, dropout, device=device, dtype=dtype)


RECIPES = (
    Recipe("cnn", "a convolutional network that classifies images or signals", _build_cnn, lambda data: data, report,
           pictures, data="digits", epochs=30, batch_size=32, lr=2e-3, half_life=10, plots=PLOTS),
    Recipe("resnet", "a residual network that classifies images", _build_resnet, lambda data: data, report, pictures,
           data="digits", epochs=15, batch_size=32, lr=2e-3, half_life=5, plots=PLOTS, kinds=("image",)),
    Recipe("vit", "a transformer that classifies images patch by patch", _build_vit, lambda data: data, report,
           pictures, data="digits", epochs=60, batch_size=32, lr=1e-3, half_life=20, plots=PLOTS, kinds=("image",)),
)
