/** What follows from the park's data: pure functions, no clock, no page. */

import type { Alarm, Incident } from "./alarmContract";
import type { Cadence, Colour, Datastream, Reading, Rule, RuleLevel, Run, Station } from "./contract";

const RANK: Record<Colour, number> = { blue: 1, yellow: 2, orange: 3, red: 4 };
const CADENCE_ORDER: Cadence[] = ["realtime", "minute", "hour", "day"];

/** A reading older than this is silence [ms]: three periods of what HJ 212 devices are usually set to. */
const FRESH_MS: Record<Cadence, number> = {
  realtime: 90_000,
  minute: 3 * 60_000,
  hour: 3 * 3_600_000,
  day: 3 * 86_400_000,
};

/** 1 for blue (IV) up to 4 for red (I); 0 for a colour that the page does not know. */
export function rank(colour: Colour | null | undefined): number {
  return colour ? (RANK[colour] ?? 0) : 0;
}

/** The Roman numeral of the Chinese four-grade warning scale: red is I, blue is IV. */
export function grade(colour: Colour): string {
  return ["–", "IV", "III", "II", "I"][rank(colour)] ?? "–";
}

/** Whether it measures what the air carries, a gas or particles: all that alarms rest on. */
export function isInTheAir(stream: Datastream): boolean {
  return stream.property_kind === "gas" || stream.property_kind === "particle";
}

export function needsAcknowledgement(alarm: Alarm): boolean {
  return alarm.state === "unacknowledged" || alarm.state === "returned_unacknowledged" || alarm.state === "latched_unacknowledged";
}

/** Whether nobody is to be called for it: it is followed all the same, and is told, but quietly. */
export function isHidden(alarm: Alarm): boolean {
  return alarm.state === "shelved" || alarm.state === "suppressed" || alarm.state === "out_of_service";
}

/** Whether its condition stands, for everybody to see. */
export function stands(alarm: Alarm): boolean {
  return alarm.active && !isHidden(alarm);
}

/** Most urgent first: hidden ones last; what is still active, then by colour, then what nobody has acknowledged, then the newest. */
export function bySeverity(a: Alarm, b: Alarm): number {
  return (
    Number(isHidden(a)) - Number(isHidden(b)) ||
    Number(b.active) - Number(a.active) ||
    rank(b.colour) - rank(a.colour) ||
    Number(needsAcknowledgement(b)) - Number(needsAcknowledgement(a)) ||
    Date.parse(b.raised_at) - Date.parse(a.raised_at) ||
    a.id.localeCompare(b.id)
  );
}

/** The alarms of one incident; null: of none. */
export interface IncidentGroup {
  id: string | null;
  alarms: Alarm[];
}

/** Alarms by incident, in the order in which they come: the group of the most urgent alarm first. */
export function byIncident(sorted: Alarm[]): IncidentGroup[] {
  const groups = new Map<string | null, Alarm[]>();
  for (const alarm of sorted) {
    const id = alarm.incident_id ?? null;
    groups.set(id, [...(groups.get(id) ?? []), alarm]);
  }
  return [...groups].map(([id, alarms]) => ({ id, alarms }));
}

/** What stands before what waits to be closed; then by colour, the latest first. */
export function byPressure(a: Incident, b: Incident): number {
  return (
    Number(a.state === "closed") - Number(b.state === "closed") ||
    Number(b.active > 0) - Number(a.active > 0) ||
    rank(b.colour) - rank(a.colour) ||
    Date.parse(b.recorded_at) - Date.parse(a.recorded_at) ||
    a.id.localeCompare(b.id)
  );
}

/** One datastream for each property: the quickest cadence that the station has. */
export function primaryDatastreams(station: Station): Datastream[] {
  const best = new Map<string, Datastream>();
  for (const stream of station.datastreams) {
    const known = best.get(stream.property_id);
    if (!known || CADENCE_ORDER.indexOf(stream.cadence) < CADENCE_ORDER.indexOf(known.cadence)) {
      best.set(stream.property_id, stream);
    }
  }
  return [...best.values()];
}

export function isFresh(reading: Reading | undefined, cadence: Cadence, now: number): reading is Reading {
  // Too far ahead is no better than too old: the device's clock is wrong and says nothing of now.
  return reading !== undefined && Math.abs(now - Date.parse(reading.time)) <= FRESH_MS[cadence];
}

/** Whether the instrument vouches for the value: normal, or beyond its range (which is the worst news, not bad data). */
export function isSound(reading: Reading): boolean {
  return reading.quality === "T" || (reading.quality === "N" && reading.value !== null);
}

/** Whether there is a value that alarms rest on though it is no sound one: it stands still, or its clock is off. */
export function isDoubted(reading: Reading): boolean {
  return (reading.quality === "K" || reading.quality === "W") && reading.value !== null;
}

/** ok: all fresh and sound; partial: some not; silent: nothing fresh; unknown: the page itself is cut off. */
export type DataState = "ok" | "partial" | "silent" | "unknown";

export interface StationStatus {
  station: Station;
  colour: Colour | null;
  unacknowledged: boolean;
  data: DataState;
  /** The reading to show on the map: that of the worst alarm, or of the first gas. */
  lead: { stream: Datastream; reading: Reading } | null;
}

function dataState(streams: Datastream[], readings: ReadonlyMap<number, Reading>, now: number): DataState {
  const fresh = streams.filter((stream) => isFresh(readings.get(stream.id), stream.cadence, now));
  if (fresh.length === 0) return "silent";
  const sound = fresh.filter((stream) => isSound(readings.get(stream.id)!));
  return sound.length === streams.length ? "ok" : "partial";
}

/** What a station's symbol says. `believed` is false while the page gets no events: then nothing is known to be well. */
export function stationStatus(
  station: Station,
  readings: ReadonlyMap<number, Reading>,
  alarms: Alarm[],
  now: number,
  believed: boolean,
): StationStatus {
  const streams = primaryDatastreams(station);
  const worst = alarms.filter(stands).sort(bySeverity)[0];
  const stream =
    station.datastreams.find((one) => one.id === worst?.datastream_id) ??
    streams.find(isInTheAir) ??
    streams[0];
  const reading = stream && readings.get(stream.id);
  return {
    station,
    colour: worst?.colour ?? null,
    unacknowledged: alarms.some(needsAcknowledgement),
    data: believed ? dataState(streams, readings, now) : "unknown",
    lead: stream && reading ? { stream, reading } : null,
  };
}

export interface Wind {
  speed: number;
  /** The direction it blows from [degrees clockwise from north]. */
  from: number;
}

/** The wind that one station reports now, if it does and vouches for it. */
export function stationWind(station: Station, readings: ReadonlyMap<number, Reading>, now: number): Wind | null {
  const value = (property: string): number | null => {
    const stream = primaryDatastreams(station).find((one) => one.property_id === property);
    const reading = stream && readings.get(stream.id);
    return stream && isFresh(reading, stream.cadence, now) && isSound(reading) ? reading.value : null;
  };
  const [speed, from] = [value("wind-speed"), value("wind-direction")];
  return speed === null || from === null ? null : { speed, from };
}

/** The vector mean of several winds. */
export function meanWind(winds: Wind[]): Wind | null {
  if (winds.length === 0) return null;
  let [east, north, speed] = [0, 0, 0];
  for (const wind of winds) {
    east += wind.speed * Math.sin((wind.from * Math.PI) / 180);
    north += wind.speed * Math.cos((wind.from * Math.PI) / 180);
    speed += wind.speed;
  }
  const from = ((Math.atan2(east, north) * 180) / Math.PI + 360) % 360;
  return { speed: speed / winds.length, from };
}

/** The thresholds that hold for one property at one station: its own rule before its ring's. */
export function levelsFor(rules: Rule[], station: Station, propertyId: string): RuleLevel[] {
  const fitting = rules.filter((rule) => rule.property_id === propertyId);
  const rule =
    fitting.find((one) => one.station_id === station.id) ??
    fitting.find((one) => one.station_id === null && one.ring === station.ring);
  return [...(rule?.levels ?? [])].sort((a, b) => rank(a.colour) - rank(b.colour));
}

/** The run that the page shows by itself while alarms are open: the newest that has a result, else the newest. */
export function runToFollow(runs: Run[], anyOpenAlarm: boolean): Run | null {
  if (!anyOpenAlarm) return null;
  const newest = [...runs].sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at));
  return newest.find((run) => run.state === "succeeded") ?? newest[0] ?? null;
}
