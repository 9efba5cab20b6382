/** What the person at the screen is looking at. */

import { computed, effect, signal } from "@preact/signals";
import { runToFollow } from "./derive";
import { alarms, runs } from "./state";
import type { Run } from "./contract";

export type Panel = "station" | "model";
export type View = "map" | "alarms" | "details";

export const panel = signal<Panel>("station");
/** Which part a narrow screen shows; wide screens show all of them. */
export const view = signal<View>("map");
export type Desk = "alarms" | "incidents";
export const desk = signal<Desk>("alarms");
export const stationId = signal<string | null>(null);
export const alarmId = signal<string | null>(null);
export const incidentId = signal<string | null>(null);

/** A run that the person chose; null follows the newest one while alarms are open. */
export const pinnedRunId = signal<string | null>(null);
export const followedRun = computed(() => runToFollow(runs.value, alarms.value.length > 0));
export const shownRunId = computed(() => pinnedRunId.value ?? followedRun.value?.id ?? null);
/** The shown run with its result; `sync.ts` fetches it. */
export const shownRun = signal<Run | null>(null);

/** A run that comes by itself shows itself, unless the person is busy with a station. */
export function startFollowing(): void {
  const following = computed(() => followedRun.value !== null);
  effect(() => {
    if (following.value && stationId.peek() === null) panel.value = "model";
  });
}

export function showStation(id: string | null): void {
  stationId.value = id;
  panel.value = "station";
  if (id !== null) view.value = "details";
}

/** Open one alarm and bring it into view; null: the list. */
export function showAlarm(id: string | null): void {
  alarmId.value = id;
  desk.value = "alarms";
  view.value = "alarms";
}

export function showIncident(id: string | null): void {
  incidentId.value = id;
  desk.value = "incidents";
  view.value = "alarms";
}

export function showRun(id: string | null): void {
  pinnedRunId.value = id;
  panel.value = "model";
}
