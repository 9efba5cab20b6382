/** Numbers and amounts as a person reads them. */

/** Two or three significant digits, never an exponent where plain digits will do. */
export function number(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size < 0.001) return value.toExponential(1);
  if (size < 0.1) return String(Number(value.toPrecision(2)));
  const decimals = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return value.toFixed(decimals);
}

const UNITS: Record<string, string> = {
  "mg/m3": "mg/m³",
  "ug/m3": "µg/m³",
  "ng/m3": "ng/m³",
  degC: "°C",
  deg: "°",
};

/** The unit as it is printed. */
export function unit(code: string | null | undefined): string {
  return code ? (UNITS[code] ?? code) : "";
}

/** A number and its unit. */
export function amount(value: number | null | undefined, code: string | null | undefined): string {
  return `${number(value)} ${unit(code)}`.trim();
}

/** `640 m`, `2.4 km`. */
export function distance(metres: number | null | undefined): string {
  if (metres === null || metres === undefined) return "–";
  return metres < 1000 ? `${Math.round(metres / 10) * 10} m` : `${(metres / 1000).toFixed(1)} km`;
}

/** `0.42 km²`, `5.1 ha`. */
export function area(squareMetres: number | null | undefined): string {
  if (squareMetres === null || squareMetres === undefined) return "–";
  return squareMetres < 100_000 ? `${(squareMetres / 10_000).toFixed(1)} ha` : `${(squareMetres / 1e6).toFixed(2)} km²`;
}

/** `0:42`, `12:05`, `3:07:00`: minutes and seconds, hours before them when there are any. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  const whole = Math.max(0, Math.round(seconds));
  const two = (n: number): string => String(n).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** `68 %`. */
export function percent(share: number | null | undefined): string {
  return share === null || share === undefined ? "–" : `${Math.round(share * 100)} %`;
}

/** `119.0123° E, 37.1045° N`. */
export function place(longitude: number, latitude: number): string {
  const east = longitude >= 0 ? "E" : "W";
  const north = latitude >= 0 ? "N" : "S";
  return `${Math.abs(longitude).toFixed(4)}° ${east}, ${Math.abs(latitude).toFixed(4)}° ${north}`;
}
