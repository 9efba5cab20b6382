"""Events in words, one line each, in Chinese and English: for robots and e-mail. Pure.

Texts that people wrote (comments, reasons) are left out: a line holds ids and numbers, and nothing that a chat program
could take for a command.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from services.gateway.events.event import Kind
from services.gateway.subscriptions.subscription import Language, LoggedEvent
from shared.vocabulary import observed_properties

_ZONE = timezone(timedelta(hours=8))
_COLOURS = {"blue": "蓝色", "yellow": "黄色", "orange": "橙色", "red": "红色"}
_TRANSITIONS = {
    "raised": "报警产生",
    "escalated": "报警升级",
    "deescalated": "报警降级",
    "acknowledged": "报警已确认",
    "returned": "报警恢复正常",
    "reset": "报警已复位",
    "shelved": "报警已搁置",
    "unshelved": "报警取消搁置",
    "suppressed": "报警被抑制",
    "unsuppressed": "报警取消抑制",
    "taken_out_of_service": "报警停用",
    "returned_to_service": "报警恢复使用",
    "assigned": "报警已指派",
    "commented": "报警有备注",
    "closed": "报警关闭",
}
_INCIDENTS = {
    "opened": "事件开始",
    "grew": "事件扩大",
    "escalated": "事件升级",
    "settled": "事件平息",
    "resumed": "事件再起",
    "closed": "事件关闭",
}
_RUNS = {
    "queued": "模拟排队",
    "running": "模拟运行中",
    "succeeded": "模拟完成",
    "failed": "模拟失败",
    "cancelled": "模拟取消",
}
_PLAIN = str.maketrans({"<": "＜", ">": "＞", "@": "＠", "\n": " ", "\r": " "})


def lines_of(event: LoggedEvent, language: Language) -> list[str]:
    """The event in the language, or in both."""
    if event.is_test:
        zh, en = "测试消息：订阅已接通。", "Test message: the subscription works."
    else:
        zh, en = _chinese(event, event.body), _english(event, event.body)
    told = {Language.ZH: [zh], Language.EN: [en], Language.BOTH: [zh, en]}[language]
    return [line.translate(_PLAIN) for line in told]


def _chinese(event: LoggedEvent, body: Mapping[str, Any]) -> str:
    match event.kind:
        case Kind.ALARM:
            what = f"[{_COLOURS[body['colour']]}] {_TRANSITIONS[body['transition']]}：{_reading(body, '阈值', zh=True)}"
        case Kind.INCIDENT:
            gases = "、".join(_gas(gas, zh=True) for gas in body["property_ids"]) or "通信中断"
            what = (
                f"[{_COLOURS[body['colour']]}] {_INCIDENTS[body['change']]}：{gases}，"
                f"站点 {len(body['station_ids'])} 个，报警 {body['alarms']} 条"
            )
        case Kind.RUN:
            what = f"{_RUNS[body['state']]}：{body['chemical']}"
        case Kind.FLOOD:
            what = f"报警泛滥{'结束' if body['ended_at'] else '开始'}：报警 {sum(body['alarms'].values())} 条"
        case _:
            what = f"[{_COLOURS[body['colour']]}] 呼叫 {body['role']}：待确认报警 {len(body['alarms'])} 条"
    return f"{event.park_id} {what} {_time(body)}"


def _english(event: LoggedEvent, body: Mapping[str, Any]) -> str:
    match event.kind:
        case Kind.ALARM:
            what = f"[{body['colour']}] alarm {_spaced(body['transition'])}: {_reading(body, 'threshold', zh=False)}"
        case Kind.INCIDENT:
            gases = ", ".join(_gas(gas, zh=False) for gas in body["property_ids"]) or "silent stations"
            what = (
                f"[{body['colour']}] incident {body['change']}: {gases}, stations: {len(body['station_ids'])}, "
                f"alarms: {body['alarms']}"
            )
        case Kind.RUN:
            what = f"model run {body['state']}: {body['chemical']}"
        case Kind.FLOOD:
            what = f"flood of alarms {'ended' if body['ended_at'] else 'began'}: {sum(body['alarms'].values())} alarms"
        case _:
            what = f"[{body['colour']}] {body['role']} is called: {len(body['alarms'])} alarms wait"
    return f"{event.park_id} {what} {_time(body)}"


def _reading(body: Mapping[str, Any], threshold: str, *, zh: bool) -> str:
    gas = _gas(body["property_id"], zh=zh)
    value = "" if body["value"] is None else f" {body['value']:g} {body['unit'] or ''}".rstrip()
    limit = "" if body["threshold"] is None else f" ({threshold} {body['threshold']:g})"
    return f"{body['station_id']} {gas}{value}{limit}".strip()


def _gas(property_id: str | None, *, zh: bool) -> str:
    if property_id is None:
        return ""
    known = observed_properties().get(property_id)
    if known is None:
        return property_id
    return known.name.zh if zh else known.name.en


def _spaced(word: str) -> str:
    return word.replace("_", " ")


def _time(body: Mapping[str, Any]) -> str:
    told = body.get("event_time") or body.get("at") or body["recorded_at"]
    return datetime.fromisoformat(told).astimezone(_ZONE).strftime("%Y-%m-%d %H:%M:%S+08:00")
