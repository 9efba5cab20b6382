/** The park's boundary and the plots of its enterprises. */

import L from "leaflet";
import { effect } from "@preact/signals";
import { placeName } from "../names";
import { enterprises, park } from "../state";
import { element } from "./symbols";

/** Below this zoom the names of plots would cover each other. */
const NAMES_FROM_ZOOM = 13.5;

export function showSites(map: L.Map): () => void {
  const boundary = L.layerGroup().addTo(map);
  const plots = L.layerGroup().addTo(map);

  const stopBoundary = effect(() => {
    boundary.clearLayers();
    const outline = park.value?.boundary;
    if (outline) L.geoJSON(outline, { pane: "sites", interactive: false, style: () => ({ className: "park-boundary" }) }).addTo(boundary);
  });
  const stopPlots = effect(() => {
    plots.clearLayers();
    for (const enterprise of enterprises.value) {
      if (!enterprise.area) continue;
      const plot = L.geoJSON(enterprise.area, { pane: "sites", interactive: false, style: () => ({ className: "plot" }) });
      plot.addTo(plots);
      const name = element("span", "plot-name", placeName(enterprise.name));
      const icon = L.divIcon({ html: name, className: "plot-label", iconSize: [150, 32], iconAnchor: [75, 16] });
      L.marker(plot.getBounds().getCenter(), { icon, pane: "sites", interactive: false, keyboard: false }).addTo(plots);
    }
  });
  const togglePlotNames = (): void => {
    map.getContainer().classList.toggle("without-plot-names", map.getZoom() < NAMES_FROM_ZOOM);
  };
  map.on("zoomend", togglePlotNames);
  return () => {
    stopBoundary();
    stopPlots();
  };
}
