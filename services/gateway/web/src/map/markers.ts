/** Markers kept in step with a list: made when a thing appears, removed when it goes, else only repainted. */

import L from "leaflet";

export interface Spot {
  id: string;
  longitude: number;
  latitude: number;
}

export interface MarkerPainter<T extends Spot> {
  size: number;
  zIndexOffset: number;
  /** Build the inside of the marker once. */
  build: (spot: T) => HTMLElement;
  /** Bring it up to date. `label` is what a screen reader says. */
  paint: (inside: HTMLElement, spot: T, marker: L.Marker) => { label: string };
  choose?: (spot: T) => void;
}

export class Markers<T extends Spot> {
  private readonly shown = new Map<string, { marker: L.Marker; inside: HTMLElement; spot: T }>();

  constructor(
    private readonly map: L.Map,
    private readonly painter: MarkerPainter<T>,
  ) {}

  show(spots: T[]): void {
    const wanted = new Set(spots.map((spot) => spot.id));
    for (const [id, { marker }] of this.shown) {
      if (!wanted.has(id)) {
        marker.remove();
        this.shown.delete(id);
      }
    }
    for (const spot of spots) this.showOne(spot);
  }

  private showOne(spot: T): void {
    const known = this.shown.get(spot.id) ?? this.make(spot);
    known.spot = spot;
    const { label } = this.painter.paint(known.inside, spot, known.marker);
    const outer = known.marker.getElement();
    if (outer && outer.getAttribute("aria-label") !== label) outer.setAttribute("aria-label", label);
  }

  private make(spot: T): { marker: L.Marker; inside: HTMLElement; spot: T } {
    const { size, zIndexOffset, build, choose } = this.painter;
    const inside = build(spot);
    const icon = L.divIcon({ html: inside, className: "marker", iconSize: [size, size], iconAnchor: [size / 2, size / 2] });
    const marker = L.marker([spot.latitude, spot.longitude], {
      icon,
      zIndexOffset,
      interactive: choose !== undefined,
      keyboard: choose !== undefined,
      riseOnHover: true,
    });
    marker.addTo(this.map);
    const known = { marker, inside, spot };
    this.shown.set(spot.id, known);
    if (choose) {
      const pick = (): void => choose(this.shown.get(spot.id)?.spot ?? spot);
      marker.on("click", pick);
      marker.on("keypress", (event) => {
        const { key } = (event as L.LeafletKeyboardEvent).originalEvent;
        if (key === "Enter" || key === " ") pick();
      });
    }
    return known;
  }
}
