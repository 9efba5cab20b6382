/** Picking a source: while it is on, a click on the map is the place of the release. The picked place is marked. */

import L from "leaflet";
import { effect } from "@preact/signals";
import { picking, pickPoint, source } from "../draft";
import { riskSourceById } from "../state";
import { element } from "./symbols";

export function showPick(map: L.Map): () => void {
  const layer = L.layerGroup().addTo(map);
  map.on("click", (event) => {
    if (picking.value) pickPoint(event.latlng.lng, event.latlng.lat);
  });
  const escape = (event: KeyboardEvent): void => {
    if (event.key === "Escape") picking.value = false;
  };
  document.addEventListener("keydown", escape);

  const stopCursor = effect(() => {
    map.getContainer().classList.toggle("picking", picking.value);
  });
  const stopMark = effect(() => {
    layer.clearLayers();
    const chosen = source.value;
    const known = chosen.kind === "risk-source" ? riskSourceById.value.get(chosen.id)?.location : undefined;
    const place = chosen.kind === "point" ? chosen : known;
    if (!place) return;
    const icon = L.divIcon({ html: element("div", "picked"), className: "marker", iconSize: [34, 34], iconAnchor: [17, 17] });
    L.marker([place.latitude, place.longitude], { icon, pane: "suspects", interactive: false, keyboard: false }).addTo(layer);
  });
  return () => {
    document.removeEventListener("keydown", escape);
    stopCursor();
    stopMark();
  };
}
