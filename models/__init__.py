"""One file per model family, built from the public parts of the package."""
from . import flows, recipes
from .cyclegan import CycleGAN, cycle_loss
from .dcgan import DCGAN, ConvDiscriminator, ConvGenerator
from .gan import GAN, ConditionalGAN, Discriminator, MinibatchDiscrimination
from .gnn import GCN, GIN, LinkPredictor
from .infogan import InfoGAN
from .mlp import MLPClassifier
from .recipes import RECIPES, loss_of_parameters
from .vae import VAE
from .wgan import WGAN

__all__ = [
    "MLPClassifier",
    "GCN", "GIN", "LinkPredictor",
    "VAE",
    "ConditionalGAN", "ConvDiscriminator", "ConvGenerator", "CycleGAN", "DCGAN", "Discriminator", "GAN", "InfoGAN",
    "MinibatchDiscrimination", "WGAN", "cycle_loss",
    "flows",
    "RECIPES", "loss_of_parameters", "recipes",
]
