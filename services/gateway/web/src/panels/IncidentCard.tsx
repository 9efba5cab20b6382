/** One incident: what, where, how many alarms; on a click its alarms, its time line, and how it is closed. */

import { useEffect, useRef } from "preact/hooks";
import type { Incident } from "../alarmContract";
import { grade } from "../derive";
import { duration } from "../format";
import { named, t } from "../i18n";
import { incidentName, placeOf, stationName, subjectName } from "../names";
import { incidentId, showAlarm } from "../selection";
import { mayAct, now, parkNow, sortedAlarms, timezone } from "../state";
import { clockMoment } from "../time";
import { CloseForm } from "./CloseForm";
import { useTask } from "./task";
import { Timeline } from "./Timeline";

const NAMED = 2;

function places(incident: Incident): string {
  const all = incident.station_ids;
  const names = all.slice(0, NAMED).map(placeOf).join(t("comma"));
  return all.length > NAMED ? t("incident.more-places", { names, all: all.length, rest: all.length - NAMED }) : names;
}

function OpenAlarms({ incident }: { incident: Incident }) {
  const alarms = sortedAlarms.value.filter((alarm) => alarm.incident_id === incident.id);
  if (alarms.length === 0) return null;
  return (
    <section>
      <h3>{t("incident.alarms")}</h3>
      <ul class="incident-alarms">
        {alarms.map((alarm) => (
          <li key={alarm.id}>
            <button type="button" onClick={() => showAlarm(alarm.id)}>
              <span class={`grade grade-${alarm.colour} ${alarm.active ? "" : "hollow"}`} aria-label={t(`colour.${alarm.colour}`)}>{grade(alarm.colour)}</span>
              <span>{subjectName(alarm)} · {stationName(alarm)}</span>
              <span class="dim">{t(`state.${alarm.state}`)}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Opened({ incident }: { incident: Incident }) {
  const task = useTask();
  return (
    <div class="incident-body">
      {incident.state === "settled" && mayAct.value && <CloseForm incident={incident} task={task} />}
      {task.failure && <p class="failure" role="alert">{task.failure}</p>}
      {incident.state === "active" && <p class="dim small">{t("incident.not-yet")}</p>}
      <OpenAlarms incident={incident} />
      <Timeline incident={incident} />
    </div>
  );
}

export function IncidentCard({ incident }: { incident: Incident }) {
  const card = useRef<HTMLLIElement>(null);
  const open = incidentId.value === incident.id;
  const stands = incident.state === "active";
  const stations = incident.station_ids.length;
  const until = incident.closed_at ? Date.parse(incident.last_at) : parkNow.value;
  useEffect(() => {
    if (open) card.current?.scrollIntoView({ block: "nearest" });
  }, [open]);
  return (
    <li ref={card} class={`alarm-card incident-card card-${stands ? incident.colour : "returned"} ${open ? "open" : ""}`} data-incident={incident.id}>
      <button type="button" class="alarm-head" aria-expanded={open} onClick={() => (incidentId.value = open ? null : incident.id)}>
        <span class={`grade grade-${incident.colour} ${stands ? "" : "hollow"}`} aria-label={t(`colour.${incident.colour}`)}>{grade(incident.colour)}</span>
        <span class="alarm-words">
          <strong>{incidentName(incident)}</strong>
          <span class={incident.state === "settled" ? "attention" : ""}>{t(`incident.state.${incident.state}`)}</span>
        </span>
        <span class="alarm-when">
          <span class="num">{duration((until - Date.parse(incident.opened_at)) / 1000)}</span>
          <span class="dim num">{clockMoment(incident.opened_at, now.value, timezone.value)}</span>
        </span>
        <i class="fold-mark" aria-hidden="true" />
      </button>
      <p class="incident-places">{places(incident)}</p>
      <p class="alarm-state">
        <span class="dim">{incident.alarms === 1 && stations === 1 ? t("incident.counts-one") : t("incident.counts", { alarms: incident.alarms, stations })}</span>
        {incident.active > 0 && <span class="dim">{t("incident.standing", { count: incident.active })}</span>}
        {incident.unacknowledged > 0 && <span class="attention">{t("incident.waiting", { count: incident.unacknowledged })}</span>}
      </p>
      {incident.closed_by && <p class="dim small">{t("incident.closed-by", { name: incident.closed_by, kind: named("kind-of-incident", incident.reason_kind ?? "other") })}</p>}
      {incident.reason && <p class="alarm-comment">{incident.reason}</p>}
      {open && <Opened incident={incident} />}
    </li>
  );
}
