/** Sensitive targets: an icon by kind, population in the tooltip; those that the run reaches stand out. */

import L from "leaflet";
import { effect } from "@preact/signals";
import { duration, amount } from "../format";
import { named, t } from "../i18n";
import { placeName } from "../names";
import { shownRun } from "../selection";
import { receptors } from "../state";
import type { ReachedReceptor, Receptor } from "../contract";
import { Markers, type Spot } from "./markers";
import { drawn, element, RECEPTOR_SHAPES, tooltip } from "./symbols";

interface ReceptorSpot extends Spot {
  receptor: Receptor;
  reached: ReachedReceptor | undefined;
}

function describe({ receptor, reached }: ReceptorSpot): string[] {
  const lines = [named("kind", receptor.kind), t("people", { count: receptor.population })];
  if (reached) lines.push(`${t("run.peak")} ${amount(reached.peak_mg_m3, "mg/m3")}`);
  if (reached && reached.arrival_s !== null) lines.push(t("frames.at", { time: duration(reached.arrival_s) }));
  return lines;
}

function paint(inside: HTMLElement, spot: ReceptorSpot, marker: L.Marker): { label: string } {
  const inZone = spot.reached?.inside.find((key) => key.startsWith("endpoint"));
  inside.className = `receptor ${inZone ? `in-${inZone}` : ""}`;
  const name = placeName(spot.receptor.name);
  const caption = inside.querySelector(".receptor-name");
  if (caption) caption.textContent = name;
  const lines = describe(spot);
  marker.unbindTooltip().bindTooltip(tooltip(name, ...lines), { direction: "top", offset: [0, -10] });
  return { label: [name, ...lines].join(", ") };
}

function build({ receptor }: ReceptorSpot): HTMLElement {
  const inside = element("div", "receptor");
  // Under the place itself, where often a station stands.
  const sign = element("span", "receptor-sign");
  sign.append(drawn(RECEPTOR_SHAPES[receptor.kind] ?? RECEPTOR_SHAPES["other"]!, 18), element("span", "receptor-name"));
  inside.append(sign);
  return inside;
}

export function showReceptors(map: L.Map): () => void {
  const markers = new Markers<ReceptorSpot>(map, { size: 24, zIndexOffset: 0, build, paint, choose: () => undefined });
  return effect(() => {
    const reached = new Map(shownRun.value?.result?.receptors.map((one) => [one.id, one]));
    markers.show(
      receptors.value.map((receptor) => ({
        id: receptor.id,
        longitude: receptor.location.longitude,
        latitude: receptor.location.latitude,
        receptor,
        reached: reached.get(receptor.id),
      })),
    );
  });
}
