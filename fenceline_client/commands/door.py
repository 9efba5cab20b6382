"""What every command that asks a Fenceline is told: its address, the key, the park."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from fenceline_client.client import Client
from fenceline_client.commands.refusal import Refusal

KEY_VARIABLE = "FENCELINE_API_KEY"

Url = Annotated[
    str,
    typer.Option("--url", envvar="FENCELINE_URL", metavar="URL", help="such as https://fenceline.example.com | 地址"),
]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--key-file", envvar="FENCELINE_KEY_FILE", metavar="FILE", help=f"holds the API key; else {KEY_VARIABLE} | 密钥"
    ),
]
ParkId = Annotated[
    str, typer.Option("--park", envvar="FENCELINE_PARK", metavar="PARK", help="such as bohai-demo | 园区")
]
Json = Annotated[bool, typer.Option("--json", help="one JSON document a line, as the API gives it | 输出 JSON")]


def knock(url: str, key_file: Path | None) -> Client:
    """A client. A key is never an argument: every user of the machine could read it in the list of processes."""
    try:
        key = key_file.read_text(encoding="utf-8").strip() if key_file else os.environ.get(KEY_VARIABLE, "").strip()
    except (OSError, UnicodeError) as error:
        raise Refusal(f"--key-file: {key_file} cannot be read", f"--key-file：无法读取 {key_file}") from error
    if not key:
        raise Refusal(
            f"no API key: set {KEY_VARIABLE}, or name a file with --key-file",
            f"缺少 API 密钥：请设置 {KEY_VARIABLE}，或用 --key-file 指定文件",
        )
    try:
        return Client(url, key)
    except ValueError as error:
        raise Refusal(f"--url or key: {error}", "地址或密钥有误") from error
