"""The command `fenceline`. Whatever goes wrong is told in one line on standard error, never as a traceback.

Exit status: 0 done, 2 refused (the line says what to mend), 70 a fault of the program itself, 130 interrupted.
FENCELINE_DEBUG=1 shows the traceback of such a fault.
"""

from __future__ import annotations

import os
import sys

# A run is computed on one core, as by a worker; BLAS reads this when NumPy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import typer

from cli.admin import admin
from cli.model import model
from cli.refusal import EXIT_REFUSED, Refusal

EXIT_FAULT = 70
EXIT_INTERRUPTED = 130

app = typer.Typer(
    name="fenceline",
    help="Early warning of toxic gas for chemical parks | 化工园区有毒气体预警",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(model, name="model")
app.command(
    "admin",
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)(admin)


@app.callback()
def fenceline() -> None:
    """Early warning of toxic gas for chemical parks | 化工园区有毒气体预警."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        status = app(args=arguments or ["--help"], prog_name="fenceline", standalone_mode=False)
    except Refusal as refusal:
        return _say(str(refusal), EXIT_REFUSED)
    except typer.TyperException as error:
        # Typer's own: an option that does not exist, a value of the wrong kind, no argument.
        told = " ".join(error.format_message().split())
        return _say(f"{told} | 命令有误，参见 --help", EXIT_REFUSED)
    except (KeyboardInterrupt, typer.Abort):
        return _say("interrupted | 已中断", EXIT_INTERRUPTED)
    except Exception as error:
        if os.environ.get("FENCELINE_DEBUG"):
            raise
        what = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return _say(f"a fault of Fenceline itself (FENCELINE_DEBUG=1 shows where) | 程序内部错误：{what}", EXIT_FAULT)
    return status if isinstance(status, int) else 0


def _say(line: str, status: int) -> int:
    print(f"fenceline: {line}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
