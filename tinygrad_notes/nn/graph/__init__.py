"""Graphs: a graph as a value, message passing, the layers made of it, and what one does to graphs before."""
from .aggregate import *  # noqa: F403
from .attention import *  # noqa: F403
from .batch import *  # noqa: F403
from .edge_network import *  # noqa: F403
from .edges import *  # noqa: F403
from .gcn import *  # noqa: F403
from .gin import *  # noqa: F403
from .graph import *  # noqa: F403
from .graph_conv import *  # noqa: F403
from .loops import *  # noqa: F403
from .message_passing import *  # noqa: F403
from .pool import *  # noqa: F403
from .reach import *  # noqa: F403
from .recurrent import *  # noqa: F403
from .sage import *  # noqa: F403
from .split import *  # noqa: F403
