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


def over_time(limit_s: float) -> dict[str, Any]:
    """The document of a run that took longer than a run may."""
    return {
        "type": TYPE_PREFIX + "run-over-time",
        "title": "The run took too long",
        "status": 422,
        "detail": f"The run was given up at the limit of {limit_s:g} s; ask for fewer nodes or members, or less time.",
        "detail_zh": f"计算超过 {limit_s:g} 秒的时限，已中止；请减少网格节点数、集合成员数或缩短模拟时长。",
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
