"""`python -m cli`: the command `fenceline` where it is not installed."""

import sys

from cli.main import main

sys.exit(main())
