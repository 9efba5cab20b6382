"""Files that a command writes: looked at before the work begins, written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from cli.refusal import Refusal


def require_writable(option: str, path: Path | None) -> None:
    """Refuse a file that could not be written, before anything is computed for it."""
    if path is None:
        return
    folder = path.parent
    if not folder.is_dir():
        raise Refusal(f"{option}: there is no folder {folder}", f"{option}：文件夹 {folder} 不存在")
    if path.is_dir():
        raise Refusal(f"{option}: {path} is a folder", f"{option}：{path} 是文件夹")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise Refusal(f"{option}: {path} may not be written", f"{option}：没有写入 {path} 的权限")


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file; who reads it meanwhile sees the old one or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(content.encode() if isinstance(content, str) else content)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise Refusal(f"{path} cannot be written: {error.strerror}", f"无法写入 {path}") from error
