/** The one line that a person reads from across the room: stale data first, then the highest alarm, then calm. */

import { grade, needsAcknowledgement, stands } from "../derive";
import { duration } from "../format";
import { named, t } from "../i18n";
import { alarmAmount, stationName, subjectName } from "../names";
import { showAlarm, showStation } from "../selection";
import { failures, highestAlarm, LAG_TOLD_MS, lagMs, parkNow, quietMs, sortedAlarms, stationById, stations, statuses, trust } from "../state";
import type { Alarm } from "../alarmContract";
import { loaded } from "../sync";
import { FloodNotice } from "./FloodNotice";

function Notice() {
  if (trust.value === "stale") {
    return (
      <div class="notice notice-stale" role="alert">
        <strong>{t("stale.title")}</strong>
        {/* Seconds would have a screen reader start again each second. */}
        <span aria-live="off">{t("stale.text", { time: duration(quietMs.value / 1000) })}</span>
      </div>
    );
  }
  if (failures.value.size > 0) return <Failures />;
  if (lagMs.value < LAG_TOLD_MS) return null;
  return (
    <div class="notice notice-failure" role="status">
      <strong>{t("lag.title")}</strong>
      <span aria-live="off">{t("lag.text", { time: duration(lagMs.value / 1000) })}</span>
    </div>
  );
}

function Failures() {
  const parts = [...failures.value].map(([part, detail]) => `${named("part", part)}: ${detail}`).join("; ");
  return (
    <div class="notice notice-failure" role="alert">
      <strong>{t("failure.title")}</strong>
      <span>{t("failure.text", { parts })}</span>
    </div>
  );
}

function AlarmBanner({ alarm, others }: { alarm: Alarm; others: number }) {
  const waiting = needsAcknowledgement(alarm);
  const since = (parkNow.value - Date.parse(alarm.raised_at)) / 1000;
  const show = (): void => (stationById.value.has(alarm.station_id) ? showStation(alarm.station_id) : showAlarm(alarm.id));
  return (
    <button type="button" class={`banner ${stands(alarm) ? `banner-${alarm.colour}` : "banner-returned"} ${waiting ? "unacknowledged" : ""}`} onClick={show}>
      <span class={`grade grade-${alarm.colour}`}>{grade(alarm.colour)}</span>
      <strong class="banner-what">{t(`colour.${alarm.colour}`)} · {subjectName(alarm)}</strong>
      <span class="banner-where">{stationName(alarm)}</span>
      {alarm.value !== null && <span class="banner-value num">{alarmAmount(alarm)}</span>}
      <span class="banner-state">{t(`state.${alarm.state}`)}</span>
      <span class="num dim">{duration(since)}</span>
      {others > 0 && <span class="banner-more">{t("banner.more", { count: others })}</span>}
    </button>
  );
}

function Calm() {
  const all = stations.value.length;
  const reporting = [...statuses.value.values()].filter((status) => status.data === "ok").length;
  const known = loaded.value.has("alarms") && trust.value !== "stale" && !failures.value.has("alarms");
  const words = !known ? t("banner.unknown") : trust.value === "connecting" ? t("banner.waiting") : t("banner.none");
  return (
    <div class={`banner banner-calm ${known ? "" : "unknown"}`}>
      <span>{words}</span>
      {all > 0 && <span class={reporting < all ? "banner-reporting some-missing" : "banner-reporting"}>{t("banner.reporting", { count: reporting, all })}</span>}
    </div>
  );
}

export function Banner() {
  const alarm = highestAlarm.value;
  return (
    <div class="banners">
      <Notice />
      <FloodNotice />
      {alarm ? <AlarmBanner alarm={alarm} others={sortedAlarms.value.length - 1} /> : <Calm />}
    </div>
  );
}
