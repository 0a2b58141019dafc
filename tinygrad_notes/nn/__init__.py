"""Layers, losses and initializers with PyTorch's names, arguments, defaults and `state_dict` layouts."""
from . import averaging as averaging
from . import functional as functional
from . import graph as graph
from . import init as init
from . import utils as utils
from .activation import *  # noqa: F403
from .activation_gates import *  # noqa: F403
from .activation_pieces import *  # noqa: F403
from .attention import *  # noqa: F403
from .batchnorm import *  # noqa: F403
from .container import *  # noqa: F403
from .convolution import *  # noqa: F403
from .distance import *  # noqa: F403
from .dropout import *  # noqa: F403
from .embedding import *  # noqa: F403
from .geometry import *  # noqa: F403
from .graph.attention import *  # noqa: F403
from .graph.edge_network import *  # noqa: F403
from .graph.gcn import GCNConv as GCNConv
from .graph.gin import *  # noqa: F403
from .graph.graph_conv import *  # noqa: F403
from .graph.message_passing import *  # noqa: F403
from .graph.sage import *  # noqa: F403
from .lazy import *  # noqa: F403
from .lazy_convolution import *  # noqa: F403
from .lazy_normalization import *  # noqa: F403
from .linear import *  # noqa: F403
from .losses_classification import *  # noqa: F403
from .losses_contrastive import *  # noqa: F403
from .losses_pairs import *  # noqa: F403
from .losses_regression import *  # noqa: F403
from .losses_sequence import *  # noqa: F403
from .losses_unbalanced import *  # noqa: F403
from .losses_vocabulary import *  # noqa: F403
from .module import Module as Module
from .normalization import *  # noqa: F403
from .padding import *  # noqa: F403
from .parameter import *  # noqa: F403
from .parameter_container import *  # noqa: F403
from .pooling import *  # noqa: F403
from .pooling_to_size import *  # noqa: F403
from .positions import *  # noqa: F403
from .probe import *  # noqa: F403
from .recurrent import *  # noqa: F403
from .recurrent_cells import *  # noqa: F403
from .selection import *  # noqa: F403
from .state import functional_call as functional_call
from .state import stack_module_state as stack_module_state
from .summary import summary as summary
from .transformer import *  # noqa: F403
from .transformer_layers import *  # noqa: F403
from .upsampling import *  # noqa: F403
