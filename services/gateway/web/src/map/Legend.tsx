/** While a run is shown: which colour is which concentration, and how far it reaches. */

import type { Zone } from "../contract";
import { amount, distance, duration } from "../format";
import { named, t } from "../i18n";
import { shownRun } from "../selection";
import { now } from "../state";
import { sortedZones, zoneColour } from "./footprint";

function ZoneRow({ zone }: { zone: Zone }) {
  const { key, level_mg_m3, max_distance_m, clipped } = zone.properties;
  return (
    <li>
      <span class={`swatch swatch-${zoneColour(zone)}`} aria-hidden="true" />
      <span class="zone-name">{named("zone", key)}</span>
      <span class="num">{amount(level_mg_m3, "mg/m3")}</span>
      <span class="num dim">{zone.geometry ? `${clipped ? "≥ " : ""}${distance(max_distance_m)}` : "–"}</span>
    </li>
  );
}

export function Legend() {
  const run = shownRun.value;
  const zones = run?.result?.zones;
  if (!run || !zones) return null;
  const age = (now.value - Date.parse(run.finished_at ?? run.created_at)) / 1000;
  return (
    <div class="zone-legend">
      <h2>{t("legend.title")}<span class="dim">{t("model.old", { time: duration(age) })}</span></h2>
      {zones.features.some((zone) => zone.geometry) ? null : <p class="dim">{t("run.no-zones")}</p>}
      <ul>{sortedZones(zones).reverse().map((zone) => <ZoneRow key={`${zone.properties.key}:${zone.properties.level_mg_m3}`} zone={zone} />)}</ul>
    </div>
  );
}
