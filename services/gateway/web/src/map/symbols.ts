/** The drawn symbols of the map and its key. Shape tells the kind, colour only what is abnormal. */

import type { StationRing } from "../contract";

const SVG = "http://www.w3.org/2000/svg";

/** Outlines in a box from -12 to 12. */
export const STATION_SHAPES: Record<StationRing, string> = {
  source: "M0-7A7 7 0 1 1 0 7A7 7 0 1 1 0-7Z",
  boundary: "M-6-6H6V6H-6Z",
  receptor: "M0-8.4L8.4 0L0 8.4L-8.4 0Z",
  meteorology: "M0-7.6L7.4 5.4H-7.4Z",
};

export const RISK_SOURCE_SHAPE = "M-4-5.5A4 2 0 0 1 4-5.5V5A4 2 0 0 1-4 5ZM-4-5.5A4 2 0 0 0 4-5.5";

export const RECEPTOR_SHAPES: Record<string, string> = {
  school: "M0-7L9-2.5L0 2L-9-2.5ZM-5-.4V4.5C-3 6.6 3 6.6 5 4.5V-.4M9-2.5V3.5",
  village: "M-8 0L0-7L8 0M-5.5-2V7H5.5V-2M-1.5 7V2.5H1.5V7",
  hospital: "M-7-7H7V7H-7ZM0-4V4M-4 0H4",
  residential: "M-7 7V-7H1V7M1-2H7V7M-8.5 7H8.5M-4.5-4H-1.5M-4.5-1H-1.5M-4.5 2H-1.5",
  office: "M-5 7V-8H5V7M-7 7H7M-2-5H2M-2-2H2M-2 1H2",
  water: "M-8-3C-5-6-3 0 0-3S5-6 8-3M-8 3C-5 0-3 6 0 3S5 0 8 3",
  other: "M0-6A3 3 0 1 1 0 0A3 3 0 1 1 0-6ZM-6 7C-5 0 5 0 6 7",
};

export const WIND_ARROW = "M0 18V-14M0-18L-5-8L0-10.5L5-8Z";

/** An SVG of one path; `size` in CSS pixels. */
export function drawn(path: string, size: number, half = 12): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `${-half} ${-half} ${2 * half} ${2 * half}`);
  svg.setAttribute("width", String(size));
  svg.setAttribute("height", String(size));
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

/** An element with a class and text; text is never read as markup. */
export function element(tag: string, className: string, text = ""): HTMLElement {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

/** The content of a tooltip: a name and lines under it. */
export function tooltip(title: string, ...lines: string[]): HTMLElement {
  const box = element("div", "tip");
  box.append(element("strong", "tip-title", title));
  for (const line of lines) if (line) box.append(element("span", "tip-line", line));
  return box;
}
