/** What the page knows of the park. Only `sync.ts` and `events.ts` write here; everything else reads. */

import { computed, signal } from "@preact/signals";
import type { Alarm, Flood, Incident, Suppression } from "./alarmContract";
import type {
  Chemical,
  Enterprise,
  Meteorology,
  Park,
  Reading,
  Receptor,
  RiskSource,
  Rule,
  Run,
  Session,
  Station,
} from "./contract";
import { bySeverity, stationStatus, type StationStatus } from "./derive";
import { serverNow } from "./time";

/** After so long without an event the page no longer vouches for what it shows [ms]. */
export const STALE_AFTER_MS = 15_000;

export const session = signal<Session | "unknown" | "signed-out">("unknown");
/** Whether who is signed in may act on alarms; a display on the wall may only look. */
export const mayAct = computed(() => {
  const who = session.value;
  return typeof who === "object" && ["admin", "write", "alarms:write"].some((scope) => who.scopes.includes(scope));
});
export const parks = signal<Park[]>([]);
export const parkId = signal<string | null>(null);
export const park = computed(() => parks.value.find((one) => one.id === parkId.value) ?? null);
export const timezone = computed(() => park.value?.timezone ?? "Asia/Shanghai");

export const enterprises = signal<Enterprise[]>([]);
export const stations = signal<Station[]>([]);
export const riskSources = signal<RiskSource[]>([]);
export const receptors = signal<Receptor[]>([]);
export const rules = signal<Rule[]>([]);
export const chemicals = signal<Chemical[]>([]);

export const readings = signal<ReadonlyMap<number, Reading>>(new Map());
export const meteorology = signal<Meteorology | null>(null);
export const alarms = signal<Alarm[]>([]);
/** The open incidents. */
export const incidents = signal<Incident[]>([]);
export const flood = signal<Flood | null>(null);
/** What is under maintenance or out of service now. */
export const suppressions = signal<Suppression[]>([]);
export const runs = signal<Run[]>([]);

/** Parts that could not be fetched, by name; while there is one the page says so. */
export const failures = signal<ReadonlyMap<string, string>>(new Map());

/** The server's time, renewed every second [ms since 1970]. */
export const now = signal(serverNow());

export type Link = "connecting" | "open" | "lost";
export const link = signal<Link>("connecting");
/** When the last event came, by this machine's own clock [ms]. */
export const lastEventAt = signal<number | null>(null);
export const tick = signal(Date.now());

/** How far the screen can be believed. */
export type Trust = "connecting" | "live" | "reconnecting" | "stale";
export const enteredAt = signal(Date.now());
export const quietMs = computed(() => Math.max(0, tick.value - (lastEventAt.value ?? enteredAt.value)));
export const trust = computed<Trust>(() => {
  if (quietMs.value > STALE_AFTER_MS) return "stale";
  if (link.value === "lost") return "reconnecting";
  return lastEventAt.value === null ? "connecting" : "live";
});

/** The newest time that live readings have carried, and when it came by this machine's clock [ms]. */
export const parkClock = signal<{ time: number; heardAt: number } | null>(null);

/**
 * How late it is in the park. Readings may all come late (a slow link, a simulation that catches up): a station is
 * silent when it falls behind the others, and the lag of all of them together is told by itself (`lagMs`).
 */
export const parkNow = computed(() => {
  const clock = parkClock.value;
  if (clock === null) return now.value;
  return Math.min(now.value, clock.time + Math.max(0, tick.value - clock.heardAt));
});
/** From here on a lag is told [ms]. */
export const LAG_TOLD_MS = 120_000;
export const lagMs = computed(() => now.value - parkNow.value);

export const statuses = computed<ReadonlyMap<string, StationStatus>>(() => {
  const byStation = new Map<string, Alarm[]>();
  for (const alarm of alarms.value) byStation.set(alarm.station_id, [...(byStation.get(alarm.station_id) ?? []), alarm]);
  const believed = trust.value === "live" || trust.value === "reconnecting";
  return new Map(
    stations.value.map((station) => [
      station.id,
      stationStatus(station, readings.value, byStation.get(station.id) ?? [], parkNow.value, believed),
    ]),
  );
});

export const sortedAlarms = computed(() => [...alarms.value].sort(bySeverity));
export const incidentById = computed(() => new Map(incidents.value.map((incident) => [incident.id, incident])));
export const highestAlarm = computed(() => sortedAlarms.value[0] ?? null);
export const stationById = computed(() => new Map(stations.value.map((station) => [station.id, station])));
export const chemicalByCas = computed(() => new Map(chemicals.value.map((chemical) => [chemical.cas, chemical])));
export const riskSourceById = computed(() => new Map(riskSources.value.map((source) => [source.id, source])));
export const receptorById = computed(() => new Map(receptors.value.map((receptor) => [receptor.id, receptor])));
