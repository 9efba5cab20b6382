"""A run that cannot be computed, and why: told to the user as a problem document, never retried."""

from __future__ import annotations

from typing import Any

from shared.problems import TYPE_PREFIX


class RunFailure(Exception):
    """The run's inputs or the data that it needs do not allow a result."""

    def __init__(self, slug: str, title: str, en: str, zh: str, status: int = 422) -> None:
        super().__init__(en)
        self.document: dict[str, Any] = {
            "type": TYPE_PREFIX + slug,
            "title": title,
            "status": status,
            "detail": en,
            "detail_zh": zh,
        }


def worker_failure(detail: str) -> dict[str, Any]:
    """The document of a run that its workers could not finish."""
    return {
        "type": TYPE_PREFIX + "run-set-aside",
        "title": "The run was set aside",
        "status": 500,
        "detail": detail,
        "detail_zh": "该次计算多次未能完成，已搁置。请查看模型工作进程的日志。",
    }
