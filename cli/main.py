"""The command `fenceline`: the commands for vendors, the model without services, the administration."""

from __future__ import annotations

import os
import sys

# A run is computed on one core, as by a worker; BLAS reads this when NumPy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from cli.admin import admin
from cli.model import model
from fenceline_client.commands.main import new_app
from fenceline_client.commands.running import run

app = new_app()
app.add_typer(model, name="model")
app.command(
    "admin",
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)(admin)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    return run(app, arguments)


if __name__ == "__main__":
    sys.exit(main())
