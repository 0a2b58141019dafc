"""`python -m tinygrad_notes` is the command `tinygrad-notes`."""
from .cli import main

raise SystemExit(main())
