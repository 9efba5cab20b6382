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
  const zones = shownRun.value?.result?.zones;
  if (!zones?.features.some((zone) => zone.geometry)) return null;
  const bounds = L.geoJSON(zones as GeoJSON.FeatureCollection).getBounds();
  return bounds.isValid() ? bounds : null;
});

/** Show all of the park, and the footprint if there is one. */
export function fitPark(map: L.Map): void {
  const bounds = parkBounds.value;
  if (!bounds) return;
  const whole = L.latLngBounds(bounds.getSouthWest(), bounds.getNorthEast());
  if (runBounds.value) whole.extend(runBounds.value.pad(0.02));
  map.fitBounds(whole, { paddingTopLeft: [24, 24], paddingBottomRight: [24, 40], animate: false });
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
  return () => {
    stop();
    observer.disconnect();
  };
}

export function moveTo(longitude: number, latitude: number): void {
  theMap.value?.panTo([latitude, longitude], { animate: true });
}
