/** The open alarms, most urgent first; in a flood those of one incident stand together under its head, and all are there. */

import { signal } from "@preact/signals";
import type { Alarm } from "../alarmContract";
import { byIncident, grade, type IncidentGroup, needsAcknowledgement } from "../derive";
import { t } from "../i18n";
import { incidentName, subjectName } from "../names";
import { alarmId } from "../selection";
import { failures, flood, incidentById, sortedAlarms, trust } from "../state";
import { loaded } from "../sync";
import { AlarmCard } from "./AlarmCard";

/** Groups that the person has folded, by incident. */
const folded = signal<ReadonlySet<string | null>>(new Set());

function fold(id: string | null): void {
  const next = new Set(folded.value);
  if (!next.delete(id)) next.add(id);
  folded.value = next;
}

function GroupHead({ group }: { group: IncidentGroup }) {
  const incident = group.id === null ? undefined : incidentById.value.get(group.id);
  const first = group.alarms[0]!;
  const waiting = group.alarms.filter(needsAcknowledgement).length;
  const name = incident ? incidentName(incident) : group.id === null ? t("incident.outside") : subjectName(first);
  return (
    <li class="group-head">
      <button type="button" aria-expanded={!folded.value.has(group.id)} title={t("incident.fold")} onClick={() => fold(group.id)}>
        <span class={`grade grade-${first.colour}`} aria-label={t(`colour.${first.colour}`)}>{grade(first.colour)}</span>
        <span class="group-words">
          <strong>{name}</strong>
          <span>{t("incident.group", { alarms: group.alarms.length, waiting })}</span>
        </span>
        <i class="fold-mark" aria-hidden="true" />
      </button>
    </li>
  );
}

/** One list, grouped or not: a card keeps what is typed into it when a flood begins or ends. */
function items(alarms: Alarm[]) {
  const card = (alarm: Alarm, hidden = false) => <AlarmCard key={alarm.id} alarm={alarm} hidden={hidden && alarm.id !== alarmId.value} />;
  if (!flood.value?.in_flood) return alarms.map((alarm) => card(alarm));
  return byIncident(alarms).flatMap((group) => [
    <GroupHead key={`group ${group.id}`} group={group} />,
    ...group.alarms.map((alarm) => card(alarm, folded.value.has(group.id))),
  ]);
}

export function AlarmList() {
  const alarms = sortedAlarms.value;
  const unknown = !loaded.value.has("alarms") || failures.value.has("alarms") || trust.value === "stale";
  return (
    <>
      {alarms.length === 0 && <p class="dim empty">{t(unknown ? "alarms.unknown" : "alarms.empty")}</p>}
      <ul class={`alarm-list ${flood.value?.in_flood ? "grouped" : ""}`}>{items(alarms)}</ul>
    </>
  );
}
