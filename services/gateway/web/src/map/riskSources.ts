/** Vessels and units that can release: small symbols; a click makes one the source of the next run. */

import L from "leaflet";
import { effect } from "@preact/signals";
import type { RiskSource } from "../contract";
import { pickRiskSource } from "../draft";
import { t } from "../i18n";
import { chemicalName, placeName } from "../names";
import { riskSources } from "../state";
import { Markers, type Spot } from "./markers";
import { drawn, element, RISK_SOURCE_SHAPE, tooltip } from "./symbols";

interface SourceSpot extends Spot {
  source: RiskSource;
}

function tonnes(kilograms: number): string {
  return kilograms >= 1000 ? `${+(kilograms / 1000).toPrecision(3)} t` : `${kilograms} kg`;
}

function paint(_inside: HTMLElement, { source }: SourceSpot, marker: L.Marker): { label: string } {
  const name = placeName(source.name);
  const lines = [chemicalName(source.chemical)];
  if (source.inventory_kg) lines.push(t("inventory", { amount: tonnes(source.inventory_kg) }));
  marker.unbindTooltip().bindTooltip(tooltip(name, ...lines), { direction: "top", offset: [0, -8] });
  return { label: [t("key.risk"), name, ...lines].join(", ") };
}

function build(): HTMLElement {
  const inside = element("div", "risk-source");
  inside.append(drawn(RISK_SOURCE_SHAPE, 16, 8));
  return inside;
}

export function showRiskSources(map: L.Map): () => void {
  const choose = ({ source }: SourceSpot): void => pickRiskSource(source.id);
  const markers = new Markers<SourceSpot>(map, { size: 22, zIndexOffset: 400, build, paint, choose });
  return effect(() => {
    markers.show(
      riskSources.value.map((source) => ({
        id: source.id,
        longitude: source.location.longitude,
        latitude: source.location.latitude,
        source,
      })),
    );
  });
}
