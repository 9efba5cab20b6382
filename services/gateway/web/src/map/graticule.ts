/** A quiet grid of meridians and parallels, named at the edges. */

import L from "leaflet";
import { element } from "./symbols";

/** Steps in degrees; the grid takes the finest whose names do not touch. */
const STEPS = [0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10];
const LEAST_SPACING_PX = 92;

function stepFor(span: number, width: number): number {
  return STEPS.find((step) => (step / span) * width >= LEAST_SPACING_PX) ?? 20;
}

function label(degrees: number, positive: string, negative: string, step: number): string {
  const digits = step < 0.01 ? 4 : step < 0.1 ? 2 : 1;
  return `${Math.abs(degrees).toFixed(digits)}°${degrees >= 0 ? positive : negative}`;
}

export function showGraticule(map: L.Map): void {
  const lines = L.layerGroup([], { pane: "graticule" }).addTo(map);
  const names = element("div", "graticule-names");
  names.setAttribute("aria-hidden", "true");
  map.getContainer().append(names);
  const line = (points: L.LatLngTuple[]): void => {
    L.polyline(points, { pane: "graticule", interactive: false, className: "graticule" }).addTo(lines);
  };

  const draw = (): void => {
    lines.clearLayers();
    names.replaceChildren();
    const shown = map.getBounds();
    const [west, east, south, north] = [shown.getWest(), shown.getEast(), shown.getSouth(), shown.getNorth()];
    const step = stepFor(east - west, map.getSize().x);
    const margin = step * 2;
    for (let n = Math.ceil((west - margin) / step); n * step <= east + margin; n += 1) {
      line([[south - margin, n * step], [north + margin, n * step]]);
      const name = element("span", "graticule-name east", label(n * step, "E", "W", step));
      name.style.left = `${map.latLngToContainerPoint([south, n * step]).x}px`;
      names.append(name);
    }
    for (let n = Math.ceil((south - margin) / step); n * step <= north + margin; n += 1) {
      line([[n * step, west - margin], [n * step, east + margin]]);
      const name = element("span", "graticule-name north", label(n * step, "N", "S", step));
      name.style.top = `${map.latLngToContainerPoint([n * step, west]).y}px`;
      names.append(name);
    }
  };
  map.on("moveend zoomend resize viewreset", draw);
  if (map.getZoom() !== undefined) draw();
}
