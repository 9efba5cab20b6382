/** Where the run takes the gas to come from: a ring around its source, and around each candidate with its share. */

import L from "leaflet";
import { effect } from "@preact/signals";
import { percent } from "../format";
import { t } from "../i18n";
import { shownRun } from "../selection";
import { element } from "./symbols";

/** Candidates less probable than this only clutter the map. */
const LEAST_SHARE = 0.02;

function ring(longitude: number, latitude: number, className: string, caption: string): L.Marker {
  const inside = element("div", className);
  inside.append(element("span", "suspect-ring"), element("span", "suspect-share", caption));
  const icon = L.divIcon({ html: inside, className: "marker", iconSize: [44, 44], iconAnchor: [22, 22] });
  return L.marker([latitude, longitude], { icon, pane: "suspects", interactive: false, keyboard: false });
}

export function showSuspects(map: L.Map): () => void {
  const layer = L.layerGroup().addTo(map);
  return effect(() => {
    layer.clearLayers();
    const source = shownRun.value?.source;
    if (!source) return;
    const candidates = source.candidates ?? [];
    const own = candidates.find((one) => one.risk_source_id === source.risk_source_id);
    const caption = own ? percent(own.probability) : t("run.source");
    ring(source.longitude, source.latitude, "suspect chosen", caption).addTo(layer);
    for (const candidate of candidates) {
      if (candidate === own || candidate.probability < LEAST_SHARE) continue;
      ring(candidate.longitude, candidate.latitude, "suspect", percent(candidate.probability)).addTo(layer);
    }
  });
}
