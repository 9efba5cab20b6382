/** One alarm: what, where, how much, since when, who was called; acknowledged or reset here, and all else on a click. */

import { useEffect, useRef } from "preact/hooks";
import type { Alarm } from "../alarmContract";
import { grade, needsAcknowledgement, stands } from "../derive";
import { duration, number } from "../format";
import { named, t } from "../i18n";
import { moveTo } from "../map/view";
import { alarmAmount, ruleName, stationName, subjectName } from "../names";
import { alarmId, showIncident, showStation } from "../selection";
import { incidentById, mayAct, now, parkNow, stationById, timezone } from "../state";
import { clockMoment } from "../time";
import { AlarmActions } from "./AlarmActions";
import { Escalation } from "./Escalation";
import { Journal } from "./Journal";
import { NoteForm } from "./NoteForm";
import { type Task, useTask } from "./task";

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

/** The state in words, and what goes with it. */
function State({ alarm }: { alarm: Alarm }) {
  const until = alarm.shelved_until && clockMoment(alarm.shelved_until, now.value, timezone.value);
  return (
    <p class="alarm-state">
      <span class="state-word">{t(`state.${alarm.state}`)}</span>
      {until && <span class="dim">{t(alarm.shelved_once ? "alarm.until-over" : "alarm.until", { time: until })}</span>}
      {alarm.suppressed_by?.map((why) => <span key={why} class="dim">{named("suppressor", why)}</span>)}
      {alarm.acknowledged_by && <span class="dim">{t("alarm.by", { name: alarm.acknowledged_by })}</span>}
      {alarm.assigned_to && <span class="dim">{t("alarm.assigned", { name: alarm.assigned_to })}</span>}
      {ruleName(alarm) && <span class="dim">{ruleName(alarm)}</span>}
      {alarm.chattering && <span class="dim">{t("alarm.chattering")}</span>}
      {alarm.stale && <span class="dim">{t("alarm.stale")}</span>}
    </p>
  );
}

function goTo(alarm: Alarm): void {
  const location = stationById.value.get(alarm.station_id)?.location;
  showStation(alarm.station_id);
  if (location) moveTo(location.longitude, location.latitude);
}

function Opened({ alarm, task }: { alarm: Alarm; task: Task }) {
  const incident = alarm.incident_id;
  return (
    <>
      {mayAct.value ? <AlarmActions alarm={alarm} task={task} /> : <p class="dim small">{t("alarm.read-only")}</p>}
      <p class="alarm-links">
        {stationById.value.has(alarm.station_id) && (
          <button type="button" class="link-button" onClick={() => goTo(alarm)}>{t("alarm.show-station")}</button>
        )}
        {incident && incidentById.value.has(incident) && (
          <button type="button" class="link-button" onClick={() => showIncident(incident)}>{t("alarm.incident")}</button>
        )}
      </p>
      <Journal alarm={alarm} />
    </>
  );
}

export function AlarmCard({ alarm, hidden }: { alarm: Alarm; hidden: boolean }) {
  const card = useRef<HTMLLIElement>(null);
  const task = useTask();
  const open = alarmId.value === alarm.id;
  const waiting = needsAcknowledgement(alarm);
  const since = (parkNow.value - Date.parse(alarm.raised_at)) / 1000;
  const colour = stands(alarm) ? alarm.colour : "returned";
  useEffect(() => {
    if (open) card.current?.scrollIntoView({ block: "nearest" });
  }, [open]);
  return (
    <li ref={card} class={`alarm-card card-${colour} ${waiting ? "unacknowledged" : ""} ${open ? "open" : ""}`} data-alarm={alarm.id} hidden={hidden}>
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
        <i class="fold-mark" aria-hidden="true" />
      </button>
      <Amounts alarm={alarm} />
      <State alarm={alarm} />
      {waiting && alarm.escalation && <Escalation state={alarm.escalation} />}
      {alarm.comment && <p class="alarm-comment">{alarm.comment}</p>}
      {waiting && mayAct.value && <NoteForm alarm={alarm} action="acknowledge" task={task} />}
      {mayAct.value && alarm.allowed.includes("reset") && <NoteForm alarm={alarm} action="reset" task={task} />}
      {/* Here and not in a form: what the state no longer allows takes its form away, and must not take the reason along. */}
      {task.failure && <p class="failure" role="alert">{task.failure}</p>}
      {open && <Opened alarm={alarm} task={task} />}
    </li>
  );
}
