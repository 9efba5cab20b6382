/** The park's boundary and the plots of its enterprises. */

import L from "leaflet";
import { effect } from "@preact/signals";
import { placeName } from "../names";
import { enterprises, park } from "../state";
import { element } from "./symbols";

/** A plot narrower than this on the screen goes without its name [px]. */
const NARROWEST_NAMED = 76;
const WIDEST_NAME = 190;
/** Names of receptors would cover each other below this zoom. */
const NAMES_FROM_ZOOM = 13.25;

interface NamedPlot {
  bounds: L.LatLngBounds;
  name: HTMLElement;
}

/** A name stands low in its plot, where fewer stations are. */
function nameMarker({ bounds, name }: NamedPlot): L.Marker {
  const south = bounds.getSouth() + 0.16 * (bounds.getNorth() - bounds.getSouth());
  const icon = L.divIcon({ html: name, className: "plot-label", iconSize: [0, 0] });
  return L.marker([south, bounds.getCenter().lng], { icon, pane: "sites", interactive: false, keyboard: false });
}

function fitName(map: L.Map, { bounds, name }: NamedPlot): void {
  const width = map.latLngToLayerPoint(bounds.getNorthEast()).x - map.latLngToLayerPoint(bounds.getSouthWest()).x;
  name.hidden = width < NARROWEST_NAMED;
  name.style.width = `${Math.min(width - 10, WIDEST_NAME)}px`;
}

export function showSites(map: L.Map): () => void {
  const boundary = L.layerGroup().addTo(map);
  const plots = L.layerGroup().addTo(map);
  let named: NamedPlot[] = [];

  const stopBoundary = effect(() => {
    boundary.clearLayers();
    const outline = park.value?.boundary;
    const style = (): L.PathOptions => ({ className: "park-boundary" });
    if (outline) L.geoJSON(outline, { pane: "sites", interactive: false, style }).addTo(boundary);
  });
  const stopPlots = effect(() => {
    plots.clearLayers();
    named = [];
    for (const enterprise of enterprises.value) {
      if (!enterprise.area) continue;
      const style = (): L.PathOptions => ({ className: "plot" });
      const plot = L.geoJSON(enterprise.area, { pane: "sites", interactive: false, style }).addTo(plots);
      const entry = { bounds: plot.getBounds(), name: element("span", "plot-name", placeName(enterprise.name)) };
      named.push(entry);
      nameMarker(entry).addTo(plots);
      fitName(map, entry);
    }
  });
  const onZoom = (): void => {
    map.getContainer().classList.toggle("without-names", map.getZoom() < NAMES_FROM_ZOOM);
    for (const entry of named) fitName(map, entry);
  };
  map.on("zoomend", onZoom);
  return () => {
    stopBoundary();
    stopPlots();
  };
}
