/** What the symbols of the map mean. */

import { t } from "../i18n";
import { RISK_SOURCE_SHAPE, STATION_SHAPES } from "./symbols";

function Symbol({ path, className, half = 12 }: { path: string; className: string; half?: number }) {
  return (
    <span class={className}>
      <svg viewBox={`${-half} ${-half} ${2 * half} ${2 * half}`} width="20" height="20" aria-hidden="true"><path d={path} /></svg>
    </span>
  );
}

export function SymbolKey() {
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
