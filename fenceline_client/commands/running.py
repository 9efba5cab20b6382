"""How a command ends. Whatever goes wrong is told in one line on standard error, never as a traceback.

Exit status: 0 done, 1 whoever read the output has gone, 2 refused (the line says what to mend), 70 a fault of the
program itself, 130 interrupted.
FENCELINE_DEBUG=1 shows the traceback of such a fault.
"""

from __future__ import annotations

import os
import sys

import typer

from fenceline_client.commands.refusal import EXIT_REFUSED, Refusal
from fenceline_client.errors import FencelineError, ProblemError, Unreachable

EXIT_READER_GONE = 1
EXIT_FAULT = 70
EXIT_INTERRUPTED = 130


def run(app: typer.Typer, arguments: list[str] | None) -> int:
    """Run a command line; None: the arguments of this process. Returns the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        status = app(args=arguments or ["--help"], prog_name="fenceline", standalone_mode=False)
        sys.stdout.flush()
    except Refusal as refusal:
        return _say(str(refusal), EXIT_REFUSED)
    except FencelineError as error:
        return _say(_told(error), EXIT_REFUSED)
    except typer.TyperException as error:
        # Typer's own: an option that does not exist, a value of the wrong kind, no argument.
        told = " ".join(error.format_message().split())
        return _say(f"{told} | 命令有误，参见 --help", EXIT_REFUSED)
    except (KeyboardInterrupt, typer.Abort):
        return _say("interrupted | 已中断", EXIT_INTERRUPTED)
    except BrokenPipeError:
        # Click does the same where a command writes; what Python would flush at its end goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_READER_GONE
    except Exception as error:
        if os.environ.get("FENCELINE_DEBUG"):
            raise
        what = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return _say(f"a fault of Fenceline itself (FENCELINE_DEBUG=1 shows where) | 程序内部错误：{what}", EXIT_FAULT)
    return status if isinstance(status, int) else 0


def _told(error: FencelineError) -> str:
    if isinstance(error, ProblemError):
        trace = f" (trace {error.trace_id})" if error.trace_id else ""
        told = f"refused ({error.status}): {error.detail}{trace} | 请求被拒绝（{error.status}）"
    elif isinstance(error, Unreachable):
        told = f"no answer from {error}; look at the address and the network | 无应答：请检查地址与网络"
    else:
        told = f"{error} | 无法理解服务器的应答"
    return " ".join("".join(one if one.isprintable() else " " for one in told).split())


def _say(line: str, status: int) -> int:
    print(f"fenceline: {line}", file=sys.stderr)
    return status
