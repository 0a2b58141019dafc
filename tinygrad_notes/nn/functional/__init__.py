"""What layers and losses compute, as functions under PyTorch's names."""
from .activation import *  # noqa: F403
from .attention import *  # noqa: F403
from .classification import *  # noqa: F403
from .convolution import *  # noqa: F403
from .dropout import *  # noqa: F403
from .grid import *  # noqa: F403
from .interpolation import *  # noqa: F403
from .linear import *  # noqa: F403
from .multihead import *  # noqa: F403
from .normalization import *  # noqa: F403
from .padding import *  # noqa: F403
from .pairs import *  # noqa: F403
from .pooling import *  # noqa: F403
from .pooling_to_size import *  # noqa: F403
from .positions import *  # noqa: F403
from .regression import *  # noqa: F403
from .shuffle import *  # noqa: F403
