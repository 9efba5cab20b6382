"""`fenceline admin`: organisations, members, keys and the audit of a gateway whose database can be reached.

The gateway's own program does the work, in a process of its own: the command line knows no service but the model.
"""

from __future__ import annotations

import subprocess
import sys

import typer

from cli.refusal import Refusal


def admin(context: typer.Context) -> int:
    """Who comes in at the gateway: organisations, members, keys, the audit | 组织、成员、密钥与审计.

    Needs FENCELINE_DATABASE_URL. `fenceline admin --help` shows the commands.
    """
    try:
        return subprocess.run([sys.executable, "-m", "services.gateway.admin", *context.args], check=False).returncode
    except OSError as error:
        raise Refusal(f"the gateway's program cannot be started: {error}", f"无法启动网关管理程序：{error}") from error
