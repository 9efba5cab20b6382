/** The run that the person is about to ask for. */

import { computed, signal } from "@preact/signals";
import type { RunRequest, SourceChoice } from "./contract";
import { panel, view } from "./selection";
import { alarms, riskSourceById } from "./state";

export type DraftSource =
  | { kind: "none" }
  | { kind: "risk-source"; id: string }
  | { kind: "suspicion" }
  | { kind: "point"; longitude: number; latitude: number };

export const source = signal<DraftSource>({ kind: "none" });
/** CAS; empty until chosen. */
export const chemical = signal("");
/** As typed; empty means: estimate it from the readings. */
export const rate = signal("");
export const durationMinutes = signal("10");
export const followMinutes = signal("30");
export const heightMetres = signal("2");
/** While true the next click on the map is the source. */
export const picking = signal(false);

export function pickRiskSource(id: string): void {
  source.value = { kind: "risk-source", id };
  chemical.value = riskSourceById.value.get(id)?.chemical ?? chemical.value;
  openForm();
}

/** Leave the place to the model: it traces the gas back from what the stations read. */
export function pickSuspicion(): void {
  source.value = { kind: "suspicion" };
  openForm();
}

export function pickPoint(longitude: number, latitude: number): void {
  source.value = { kind: "point", longitude, latitude };
  openForm();
}

/** Ask for the next click on the map, or take that back. */
export function togglePicking(): void {
  picking.value = !picking.value;
  if (picking.value) view.value = "map";
}

function openForm(): void {
  picking.value = false;
  panel.value = "model";
  view.value = "details";
}

function positive(text: string): number | null {
  const value = Number(text);
  return text.trim() !== "" && Number.isFinite(value) && value > 0 ? value : null;
}

function choice(): SourceChoice | null {
  const chosen = source.value;
  if (chosen.kind === "risk-source") return { risk_source_id: chosen.id };
  if (chosen.kind === "point") {
    const height = Number(heightMetres.value);
    return {
      longitude: chosen.longitude,
      latitude: chosen.latitude,
      height_m: Number.isFinite(height) && height >= 0 ? height : 0,
    };
  }
  if (chosen.kind === "suspicion") {
    return { suspicion: { alarm_station_ids: [...new Set(alarms.value.map((alarm) => alarm.station_id))] } };
  }
  return null;
}

/** The request, or null while something in it is missing or wrong. */
export const request = computed<RunRequest | null>(() => {
  const chosen = choice();
  const minutes = positive(durationMinutes.value);
  const follow = positive(followMinutes.value);
  const rateGiven = rate.value.trim() !== "";
  const rateKg = positive(rate.value);
  if (!chosen || !chemical.value || minutes === null || follow === null || (rateGiven && rateKg === null)) return null;
  return {
    chemical: chemical.value,
    source: chosen,
    rate_kg_s: rateKg,
    duration_s: Math.round(minutes * 60),
    follow_s: Math.round(follow * 60),
    meteorology: null,
    wait_s: 0,
  };
});
