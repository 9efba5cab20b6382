/** The zones of the shown run: filled as their maximum over time, or as one moment inside that outline. */

import L from "leaflet";
import { effect } from "@preact/signals";
import type { Zone, Zones } from "../contract";
import { amount, area, distance } from "../format";
import { said, t } from "../i18n";
import { shownRun } from "../selection";
import { frame } from "./frames";
import { tooltip } from "./symbols";

const KNOWN = new Set(["red", "orange", "yellow", "blue"]);

/** The colour of a zone, from the page's own list only: it becomes the name of a class. */
export function zoneColour(zone: Zone): string {
  return KNOWN.has(zone.properties.colour) ? zone.properties.colour : "blue";
}

/** Whether a zone is the outer band of its level: exceeded with 10 % probability, where the inner one is the likely one. */
export function isOuter(zone: Zone): boolean {
  return zone.properties.key.endsWith("-p10");
}

/** Lowest level first, so that the worst is drawn on top. */
export function sortedZones(zones: Zones): Zone[] {
  return [...zones.features].sort((a, b) => a.properties.level_mg_m3 - b.properties.level_mg_m3);
}

function describe(zone: Zone): HTMLElement {
  const { label, level_mg_m3, area_m2, max_distance_m, clipped } = zone.properties;
  return tooltip(
    said(label),
    amount(level_mg_m3, "mg/m3"),
    `${t("run.zone-reach")} ${distance(max_distance_m)} · ${area(area_m2)}`,
    clipped ? t("run.clipped") : "",
  );
}

function draw(zones: Zones, look: "filled" | "outline", into: L.LayerGroup): void {
  for (const zone of sortedZones(zones)) {
    if (!zone.geometry) continue;
    const outer = isOuter(zone) ? " zone-outer" : "";
    const className = `zone zone-${zoneColour(zone)} zone-${look}${outer}`;
    const layer = L.geoJSON(zone as GeoJSON.Feature, { pane: "footprint", style: () => ({ className }) });
    if (look === "filled") layer.bindTooltip(describe(zone), { sticky: true });
    layer.addTo(into);
  }
}

export function showFootprint(map: L.Map): () => void {
  const maximum = L.layerGroup().addTo(map);
  const moment = L.layerGroup().addTo(map);
  const stopMaximum = effect(() => {
    maximum.clearLayers();
    const zones = shownRun.value?.result?.zones;
    if (zones) draw(zones, frame.value === null ? "filled" : "outline", maximum);
  });
  const stopMoment = effect(() => {
    moment.clearLayers();
    if (frame.value) draw(frame.value.zones, "filled", moment);
  });
  return () => {
    stopMaximum();
    stopMoment();
  };
}
