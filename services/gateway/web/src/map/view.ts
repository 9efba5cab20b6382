/** The Leaflet map itself: no tiles, its own panes, and the view that follows the park until a person moves it. */

import L from "leaflet";
import { computed, effect, signal } from "@preact/signals";
import { park, stations } from "../state";
import { shownRun } from "../selection";

export const theMap = signal<L.Map | null>(null);
/** True once a person has panned or zoomed: from then on the view is theirs. */
export const movedByHand = signal(false);

const PANES: [string, number][] = [
  ["graticule", 250],
  ["sites", 300],
  ["footprint", 350],
  ["suspects", 450],
];

export function createMap(container: HTMLElement): L.Map {
  const map = L.map(container, {
    attributionControl: false,
    zoomControl: false,
    zoomSnap: 0.25,
    zoomDelta: 0.5,
    wheelPxPerZoomLevel: 110,
    minZoom: 9,
    maxZoom: 19,
    fadeAnimation: false,
    center: [0, 0],
    zoom: 12,
  });
  for (const [name, zIndex] of PANES) {
    const pane = map.createPane(name);
    pane.style.zIndex = String(zIndex);
    pane.style.pointerEvents = name === "graticule" ? "none" : "";
  }
  L.control.scale({ imperial: false, maxWidth: 140, position: "bottomleft" }).addTo(map);
  const byHand = (): void => {
    movedByHand.value = true;
  };
  map.on("dragstart", byHand);
  container.addEventListener("wheel", byHand, { passive: true });
  return map;
}

const parkBounds = computed(() => {
  const ring = park.value?.boundary?.coordinates[0] ?? [];
  const points: L.LatLngTuple[] = ring.map((position) => [position[1] ?? 0, position[0] ?? 0]);
  for (const { location } of stations.value) points.push([location.latitude, location.longitude]);
  return points.length ? L.latLngBounds(points) : null;
});

const runBounds = computed(() => {
  const features = shownRun.value?.result?.zones.features.filter((zone) => zone.geometry) ?? [];
  // Lower levels and outer bands may reach many times further and would make the park a dot.
  const toxic = features.filter(({ properties: { key } }) => !key.startsWith("custom") && !key.endsWith("-p10"));
  const bounds = L.geoJSON((toxic.length ? toxic : features) as unknown as GeoJSON.GeoJsonObject).getBounds();
  return bounds.isValid() ? bounds : null;
});

/** Room for what lies over the map: the wind above, the legend and the player below [px]. */
function fitPadding(map: L.Map): { paddingTopLeft: L.PointTuple; paddingBottomRight: L.PointTuple } {
  const height = map.getSize().y;
  const foot = map.getContainer().parentElement?.querySelector<HTMLElement>(".map-foot")?.offsetHeight ?? 0;
  const bottom = Math.min(foot + 52, height * 0.32);
  return { paddingTopLeft: [52, Math.min(128, height * 0.2)], paddingBottomRight: [52, bottom] };
}

/** Show all of the park, and the footprint if there is one. */
export function fitPark(map: L.Map): void {
  const bounds = parkBounds.value;
  if (!bounds) return;
  const whole = L.latLngBounds(bounds.getSouthWest(), bounds.getNorthEast());
  if (runBounds.value) whole.extend(runBounds.value.pad(0.02));
  map.fitBounds(whole, { ...fitPadding(map), animate: false });
}

/** Fit whenever the park, the run or the container changes, until a person takes over. */
export function followPark(map: L.Map, container: HTMLElement): () => void {
  const fit = (): void => {
    if (!movedByHand.value) fitPark(map);
  };
  const stop = effect(fit);
  const observer = new ResizeObserver(() => {
    map.invalidateSize({ animate: false });
    fit();
  });
  observer.observe(container);
  const foot = container.parentElement?.querySelector(".map-foot");
  if (foot) observer.observe(foot);
  return () => {
    stop();
    observer.disconnect();
  };
}

export function moveTo(longitude: number, latitude: number): void {
  theMap.value?.panTo([latitude, longitude], { animate: true });
}
