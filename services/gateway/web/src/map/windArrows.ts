/** An arrow at each weather station that reports wind: it points where the wind goes, longer when it blows harder. */

import L from "leaflet";
import { computed, effect } from "@preact/signals";
import { stationWind, type Wind } from "../derive";
import { parkNow, readings, stations, trust } from "../state";
import { Markers, type Spot } from "./markers";
import { drawn, element, WIND_ARROW } from "./symbols";

interface WindSpot extends Spot {
  wind: Wind;
}

/** The winds that stations report now; none while the page cannot vouch for anything. */
export const reportedWinds = computed<WindSpot[]>(() => {
  if (trust.value === "stale" || trust.value === "connecting") return [];
  return stations.value.flatMap((station) => {
    const wind = stationWind(station, readings.value, parkNow.value);
    const { longitude, latitude } = station.location;
    return wind ? [{ id: station.id, longitude, latitude, wind }] : [];
  });
});

function paint(inside: HTMLElement, { wind }: WindSpot): { label: string } {
  const scale = Math.min(1.5, 0.6 + wind.speed / 10);
  const arrow = inside.firstElementChild as SVGElement;
  arrow.style.transform = `rotate(${wind.from + 180}deg) scale(${scale}) translateY(-26px)`;
  return { label: "" };
}

function build(): HTMLElement {
  const inside = element("div", "wind-arrow");
  inside.append(drawn(WIND_ARROW, 40, 20));
  return inside;
}

export function showWindArrows(map: L.Map): () => void {
  const markers = new Markers<WindSpot>(map, { size: 40, zIndexOffset: 200, build, paint });
  return effect(() => markers.show(reportedWinds.value));
}
