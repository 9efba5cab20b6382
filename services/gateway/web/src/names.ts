/** How the page calls places and gases. */

import type { Alarm, Incident } from "./alarmContract";
import type { Bilingual } from "./contract";
import { amount } from "./format";
import { named, said, t } from "./i18n";
import { chemicalByCas, park, parkId, readings, stationById, stations } from "./state";

const MARK = /\s*[（(](?:虚构|fictitious)[）)]\s*$/i;

/** The name of a place. A fictitious park wears its badge on every screen, so its places need not repeat the mark. */
export function placeName(name: Bilingual | null | undefined): string {
  const full = said(name);
  return park.value?.fictitious ? full.replace(MARK, "") || full : full;
}

export function chemicalName(cas: string): string {
  return said(chemicalByCas.value.get(cas)?.name) || cas;
}

export function stationName(alarm: Alarm): string {
  return placeName(alarm.station_name ?? stationById.value.get(alarm.station_id)?.name) || alarm.station_id;
}

/** The place of an alarm or a line of a time line: a station, or the park itself for what concerns many of them. */
export function placeOf(id: string): string {
  return id === parkId.value ? t("park.whole") : placeName(stationById.value.get(id)?.name) || id;
}

/** The kind of rule, where it is not a plain level or silence. */
export function ruleName(alarm: Alarm): string | null {
  const name = alarm.rule_id.split(".")[0] ?? "";
  return name === "level" || name === "silence" ? null : named("rule", name);
}

/** What an alarm is about: the gas, or the silence of a station. */
export function subjectName(alarm: Alarm): string {
  if (alarm.property_id === null) return ruleName(alarm) ?? t("alarm.silence");
  const streams = stationById.value.get(alarm.station_id)?.datastreams ?? [];
  return said(streams.find((one) => one.property_id === alarm.property_id)?.property_name) || propertyName(alarm.property_id);
}

/** How a gas is called, wherever in the park it is measured. */
export function propertyName(propertyId: string): string {
  for (const station of stations.value) {
    const stream = station.datastreams.find((one) => one.property_id === propertyId);
    if (stream) return said(stream.property_name) || propertyId;
  }
  return propertyId;
}

/** What an incident is about: its gases, or stations that fell silent. */
export function incidentName(incident: Incident): string {
  return incident.property_ids.map(propertyName).join(t("comma")) || t("incident.silence");
}

/** The value of an alarm; `>` says that the instrument can no longer follow. */
export function alarmAmount(alarm: Alarm): string {
  const reading = alarm.datastream_id === null ? undefined : readings.value.get(alarm.datastream_id);
  const over = alarm.active && reading?.quality === "T" && reading.value === alarm.value ? "> " : "";
  return over + amount(alarm.value, alarm.unit);
}
