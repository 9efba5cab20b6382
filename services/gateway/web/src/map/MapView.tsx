/** The map and what lies over it. */

import { useEffect, useRef } from "preact/hooks";
import { picking } from "../draft";
import { t } from "../i18n";
import { showFootprint } from "./footprint";
import { showGraticule } from "./graticule";
import { Legend } from "./Legend";
import { MapTools } from "./MapTools";
import { showPick } from "./pick";
import { Player } from "./Player";
import { showReceptors } from "./receptors";
import { showRiskSources } from "./riskSources";
import { showSites } from "./sites";
import { showStations } from "./stations";
import { showSuspects } from "./suspects";
import { createMap, followPark, theMap } from "./view";
import { WindRose } from "./WindRose";
import { showWindArrows } from "./windArrows";

const LAYERS = [showSites, showFootprint, showReceptors, showWindArrows, showRiskSources, showStations, showSuspects, showPick];

export function MapView() {
  const container = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const map = createMap(container.current!);
    theMap.value = map;
    showGraticule(map);
    const stops = [...LAYERS.map((show) => show(map)), followPark(map, container.current!)];
    return () => {
      for (const stop of stops) stop();
      theMap.value = null;
      map.remove();
    };
  }, []);
  return (
    <section class="map-area" aria-label={t("map")}>
      <div ref={container} class="map" />
      {picking.value && <p class="pick-hint" role="status">{t("map.pick")}</p>}
      <MapTools />
      <WindRose />
      <div class="map-foot">
        <Legend />
        <Player />
      </div>
    </section>
  );
}
