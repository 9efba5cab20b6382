/** What the symbols mean and, while a run is shown, which colour is which concentration. */

import { useState } from "preact/hooks";
import type { Zone } from "../contract";
import { amount, distance, duration } from "../format";
import { named, t } from "../i18n";
import { shownRun } from "../selection";
import { now } from "../state";
import { sortedZones, zoneColour } from "./footprint";
import { RISK_SOURCE_SHAPE, STATION_SHAPES } from "./symbols";

function Symbol({ path, className, half = 12 }: { path: string; className: string; half?: number }) {
  return (
    <span class={className}>
      <svg viewBox={`${-half} ${-half} ${2 * half} ${2 * half}`} width="20" height="20" aria-hidden="true"><path d={path} /></svg>
    </span>
  );
}

function SymbolKey() {
  const rings = ["source", "boundary", "receptor", "meteorology"] as const;
  return (
    <ul class="key">
      {rings.map((ring) => (
        <li key={ring}><Symbol path={STATION_SHAPES[ring]} className="station data-ok" />{t(`ring.${ring}`)}</li>
      ))}
      <li><Symbol path={STATION_SHAPES.boundary} className="station data-silent" />{t("key.silent")}</li>
      <li><Symbol path={STATION_SHAPES.boundary} className="station data-partial" />{t("key.partial")}</li>
      <li><Symbol path={RISK_SOURCE_SHAPE} className="risk-source" half={8} />{t("key.risk")}</li>
      <li><span class="key-suspect" aria-hidden="true" />{t("key.suspect")}</li>
      <li class="key-grades" aria-label={t("key.alarm")}>
        {(["red", "orange", "yellow", "blue"] as const).map((colour, n) => (
          <span key={colour} class={`grade grade-${colour}`}>{["I", "II", "III", "IV"][n]}</span>
        ))}
        {t("key.alarm")}
      </li>
    </ul>
  );
}

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
  const [open, setOpen] = useState(false);
  const run = shownRun.value;
  const zones = run?.result?.zones;
  const age = run ? (now.value - Date.parse(run.finished_at ?? run.created_at)) / 1000 : 0;
  return (
    <div class="legend">
      {zones && (
        <div class="zone-legend">
          <h2>{t("legend.title")}<span class="dim">{t("model.old", { time: duration(age) })}</span></h2>
          {zones.features.some((zone) => zone.geometry) ? null : <p class="dim">{t("run.no-zones")}</p>}
          <ul>{sortedZones(zones).reverse().map((zone) => <ZoneRow key={zone.properties.level_mg_m3} zone={zone} />)}</ul>
        </div>
      )}
      {open && <SymbolKey />}
      <button type="button" class="key-button" aria-expanded={open} onClick={() => setOpen(!open)}>{t("map.key")}</button>
    </div>
  );
}
