"""A report as a page that prints, in Chinese or English, complete in itself."""

from datetime import datetime
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, select_autoescape

from services.ingest.schemas import Report, ReportRow
from shared.quality import Quality

Language = Literal["zh", "en"]
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""The page runs nothing and fetches nothing."""

_WORDS: dict[Language, dict[str, str]] = {
    "zh": {
        "daily": "监测日报",
        "monthly": "监测月报",
        "unfinished": "该时段尚未结束，数据截至生成时",
        "station": "站点",
        "property": "监测因子",
        "unit": "单位",
        "mean": "均值",
        "minimum": "最小值",
        "maximum": "最大值",
        "at": "最大值时段",
        "validity": "有效读数 / 全部",
        "over_range": "超量程",
        "parts": "有效时段",
        "means_daily": "各小时均值",
        "means_monthly": "各日均值",
        "wind": "风向频率 (%)",
        "calm": "静风",
        "speed": "平均风速 (m/s)",
        "samples": "样本",
        "none": "该时段没有数据流。",
        "note": "均值仅取有效读数（正常或超量程）；有效读数不足的时段不给出均值；"
        "读数不足的总均值以 * 标出。时间为园区所在时区",
    },
    "en": {
        "daily": "Daily report",
        "monthly": "Monthly report",
        "unfinished": "The period is not over: figures are those so far",
        "station": "Station",
        "property": "Property",
        "unit": "Unit",
        "mean": "Mean",
        "minimum": "Min",
        "maximum": "Max",
        "at": "Time of max",
        "validity": "Valid of all readings",
        "over_range": "Over range",
        "parts": "Valid parts",
        "means_daily": "Means of hours",
        "means_monthly": "Means of days",
        "wind": "Wind came from (%)",
        "calm": "calm",
        "speed": "Mean speed (m/s)",
        "samples": "Samples",
        "none": "There are no datastreams.",
        "note": "Means are of valid readings (normal or over range); a part without enough of them has none, and a mean"
        " of the whole that rests on too few is marked *. Times are those of the park's zone",
    },
}


def report_html(report: Report, language: Language) -> str:
    """The page. Everything that comes from the registry is escaped."""
    zone = ZoneInfo(report.timezone)
    form = "%H" if report.kind == "daily" else "%d"

    def moment(time: datetime | None) -> str:
        if time is None:
            return "–"
        return time.astimezone(zone).strftime("%H:%M" if report.kind == "daily" else "%m-%d")

    return _template().render(
        report=report,
        words=_WORDS[language],
        language=language,
        heads=[time.astimezone(zone).strftime(form) for time in report.parts],
        moment=moment,
        enough=_enough,
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("services.ingest.reports"),
        autoescape=select_autoescape(["html", "j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = _number
    return environment.get_template("report.html.j2")


def _number(value: float | None) -> str:
    """Three significant digits, never in powers of ten where it can be helped; a dash for none."""
    if value is None:
        return "–"
    if value == 0 or abs(value) < 1e-6:
        return "0"
    rounded = float(f"{value:.3g}")
    return f"{rounded:.0f}" if abs(rounded) >= 100 else f"{rounded:.9f}".rstrip("0").rstrip(".")


def _enough(row: ReportRow) -> bool:
    return row.quality in (Quality.NORMAL, Quality.OVER_RANGE)
