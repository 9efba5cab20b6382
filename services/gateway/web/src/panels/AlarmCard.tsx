/** One alarm: what, where, how much, since when; acknowledged here, and its history on a click. */

import { useState } from "preact/hooks";
import { ApiError, api } from "../api";
import type { Alarm } from "../contract";
import { grade, needsAcknowledgement, stands } from "../derive";
import { duration, number } from "../format";
import { t } from "../i18n";
import { moveTo } from "../map/view";
import { alarmAmount, stationName, subjectName } from "../names";
import { alarmId, showStation } from "../selection";
import { now, parkId, parkNow, stationById, timezone } from "../state";
import { refreshAlarms } from "../sync";
import { clockMoment } from "../time";
import { Journal } from "./Journal";

function Acknowledge({ alarm }: { alarm: Alarm }) {
  const [comment, setComment] = useState("");
  const [failure, setFailure] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setFailure(null);
    try {
      await api.acknowledge(parkId.value!, alarm.id, comment.trim());
    } catch (error) {
      setFailure(t("alarm.failed", { detail: error instanceof ApiError ? error.message : String(error) }));
    }
    setBusy(false);
    refreshAlarms();
  };
  return (
    <form class="acknowledge" onSubmit={send}>
      <input
        type="text"
        maxLength={500}
        placeholder={t("alarm.comment")}
        aria-label={t("alarm.comment")}
        value={comment}
        onInput={(event) => setComment(event.currentTarget.value)}
      />
      <button type="submit" class="main-button" disabled={busy}>{t("alarm.acknowledge")}</button>
      {failure && <p class="failure" role="alert">{failure}</p>}
    </form>
  );
}

function Amounts({ alarm }: { alarm: Alarm }) {
  if (alarm.value === null) return null;
  return (
    <p class="alarm-amounts">
      <strong class="num">{alarmAmount(alarm)}</strong>
      {alarm.threshold !== null && <span class="dim">{t("alarm.over", { threshold: number(alarm.threshold) })}</span>}
      {alarm.peak_value !== null && alarm.peak_value > alarm.value && <span class="dim">{t("alarm.peak", { value: number(alarm.peak_value) })}</span>}
    </p>
  );
}

function goTo(alarm: Alarm): void {
  const location = stationById.value.get(alarm.station_id)?.location;
  showStation(alarm.station_id);
  if (location) moveTo(location.longitude, location.latitude);
}

export function AlarmCard({ alarm }: { alarm: Alarm }) {
  const open = alarmId.value === alarm.id;
  const waiting = needsAcknowledgement(alarm);
  const since = (parkNow.value - Date.parse(alarm.raised_at)) / 1000;
  const colour = stands(alarm) ? alarm.colour : "returned";
  return (
    <li class={`alarm-card card-${colour} ${waiting ? "unacknowledged" : ""} ${open ? "open" : ""}`} data-alarm={alarm.id}>
      <button type="button" class="alarm-head" aria-expanded={open} onClick={() => (alarmId.value = open ? null : alarm.id)}>
        <span class={`grade grade-${alarm.active ? alarm.colour : alarm.peak_colour} ${alarm.active ? "" : "hollow"}`} aria-label={t(`colour.${alarm.colour}`)}>
          {grade(alarm.active ? alarm.colour : alarm.peak_colour)}
        </span>
        <span class="alarm-words">
          <strong>{subjectName(alarm)}</strong>
          <span>{stationName(alarm)}</span>
        </span>
        <span class="alarm-when">
          <span class="num">{duration(since)}</span>
          <span class="dim num">{clockMoment(alarm.raised_at, now.value, timezone.value)}</span>
        </span>
      </button>
      <Amounts alarm={alarm} />
      <p class="alarm-state">
        <span class="state-word">{t(`state.${alarm.state}`)}</span>
        {alarm.shelved_until && <span class="dim">{t("alarm.until", { time: clockMoment(alarm.shelved_until, now.value, timezone.value) })}</span>}
        {alarm.acknowledged_by && <span class="dim">{t("alarm.by", { name: alarm.acknowledged_by })}</span>}
        {alarm.assigned_to && <span class="dim">{t("alarm.assigned", { name: alarm.assigned_to })}</span>}
        {alarm.chattering && <span class="dim">{t("alarm.chattering")}</span>}
        {alarm.stale && <span class="dim">{t("alarm.stale")}</span>}
        <button type="button" class="link-button" onClick={() => goTo(alarm)}>{t("alarm.show-station")}</button>
      </p>
      {alarm.comment && <p class="alarm-comment">{alarm.comment}</p>}
      {waiting && <Acknowledge alarm={alarm} />}
      {open && <Journal alarmId={alarm.id} changedAt={alarm.changed_at} unit={alarm.unit} />}
    </li>
  );
}
