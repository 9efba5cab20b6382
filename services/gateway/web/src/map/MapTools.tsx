/** North, zoom, whole-park view, and the key to the symbols. */

import { useState } from "preact/hooks";
import { t } from "../i18n";
import { SymbolKey } from "./SymbolKey";
import { fitPark, movedByHand, theMap } from "./view";

export function MapTools() {
  const [keyOpen, setKeyOpen] = useState(false);
  const zoom = (by: number): void => {
    movedByHand.value = true;
    theMap.value?.zoomIn(by);
  };
  const fit = (): void => {
    movedByHand.value = false;
    if (theMap.value) fitPark(theMap.value);
  };
  return (
    <div class="map-tools">
      <svg class="north" viewBox="0 0 24 36" width="24" height="36" role="img" aria-label={t("map.north")}>
        <path class="north-left" d="M12 2L4 24L12 19Z" />
        <path class="north-right" d="M12 2L20 24L12 19Z" />
        <text x="12" y="35" text-anchor="middle">{t("map.north")}</text>
      </svg>
      <button type="button" title={t("map.zoom-in")} aria-label={t("map.zoom-in")} onClick={() => zoom(0.75)}>+</button>
      <button type="button" title={t("map.zoom-out")} aria-label={t("map.zoom-out")} onClick={() => zoom(-0.75)}>−</button>
      <button type="button" title={t("map.fit")} aria-label={t("map.fit")} onClick={fit}>
        <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
          <path d="M2 6V2H6M10 2H14V6M14 10V14H10M6 14H2V10" fill="none" stroke="currentColor" stroke-width="1.6" />
        </svg>
      </button>
      <button type="button" class="key-button" title={t("map.key")} aria-label={t("map.key")} aria-expanded={keyOpen} onClick={() => setKeyOpen(!keyOpen)}>
        <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
          <path d="M2 2.5H5V5.5H2ZM2 10.5L3.5 7.8L5 10.5ZM8 4H14M8 9.3H14M8 13.8H14M3.5 12.4A1.4 1.4 0 1 1 3.5 15.2A1.4 1.4 0 1 1 3.5 12.4Z" fill="none" stroke="currentColor" stroke-width="1.3" />
        </svg>
      </button>
      {keyOpen && <SymbolKey />}
    </div>
  );
}
