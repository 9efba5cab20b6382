/** Stations: the shape is the ring, grey-blue is normal, colour is alarm, hollow and dashed is silence. */

import L from "leaflet";
import { effect } from "@preact/signals";
import { grade, isInTheAir, rank, type StationStatus } from "../derive";
import { amount, number } from "../format";
import { named, said, t } from "../i18n";
import { placeName } from "../names";
import { showStation, stationId } from "../selection";
import { statuses } from "../state";
import { Markers, type Spot } from "./markers";
import { drawn, element, STATION_SHAPES, tooltip } from "./symbols";

interface StationSpot extends Spot {
  status: StationStatus;
  selected: boolean;
}

function reading(status: StationStatus): string {
  if (!status.lead || (status.data === "silent" && !status.colour)) return t("values.none");
  const { stream, reading: last } = status.lead;
  const over = last.quality === "T" ? "> " : "";
  return `${said(stream.property_name)} ${over}${amount(last.value, stream.unit)}`;
}

function paint(inside: HTMLElement, { status, selected }: StationSpot, marker: L.Marker): { label: string } {
  const { station, colour, data, lead } = status;
  const classes = ["station", `data-${data}`, colour ? `alarm alarm-${colour}` : "", status.unacknowledged ? "unacknowledged" : "", selected ? "selected" : ""];
  const className = classes.filter(Boolean).join(" ");
  if (inside.className !== className) inside.className = className;

  const value = inside.querySelector<HTMLElement>(".station-value")!;
  const gas = lead && isInTheAir(lead.stream) ? lead : null;
  const text = colour ? `${grade(colour)}  ${gas ? (gas.reading.quality === "T" ? ">" : "") + number(gas.reading.value) : "–"}` : "";
  if (value.textContent !== text) value.textContent = text;

  const name = placeName(station.name);
  const state = colour ? t(`colour.${colour}`) : t(`data.${data}`);
  const lines = [`${named("ring", station.ring)} · ${state}`, reading(status)];
  const label = [name, ...lines].join(", ");
  if (inside.dataset["label"] !== label) {
    inside.dataset["label"] = label;
    const content = tooltip(name, ...lines);
    if (marker.getTooltip()) marker.setTooltipContent(content);
    else marker.bindTooltip(content, { direction: "top", offset: [0, -12] });
    marker.setZIndexOffset(colour ? 600 + 100 * rank(colour) : data === "ok" ? 300 : 500);
  }
  return { label };
}

function build({ status }: StationSpot): HTMLElement {
  const inside = element("div", "station");
  inside.append(drawn(STATION_SHAPES[status.station.ring] ?? STATION_SHAPES.source, 24), element("span", "station-value"));
  return inside;
}

export function showStations(map: L.Map): () => void {
  const choose = ({ id }: StationSpot): void => showStation(id);
  const markers = new Markers<StationSpot>(map, { size: 24, zIndexOffset: 300, build, paint, choose });
  return effect(() => {
    const chosen = stationId.value;
    markers.show(
      [...statuses.value.values()].map((status) => ({
        id: status.station.id,
        longitude: status.station.location.longitude,
        latitude: status.station.location.latitude,
        status,
        selected: status.station.id === chosen,
      })),
    );
  });
}
