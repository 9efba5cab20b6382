/** The shapes of the gateway's answers that the page uses. Times are ISO 8601, coordinates WGS 84, concentrations mg/m3. */

export interface Bilingual {
  zh: string;
  en: string;
}

export type Colour = "blue" | "yellow" | "orange" | "red";
export type StationRing = "source" | "boundary" | "receptor" | "meteorology";
export type Cadence = "realtime" | "minute" | "hour" | "day";
export type RunState = "queued" | "running" | "succeeded" | "failed" | "cancelled";

export interface Problem {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
  /** What some problems add: the state of an alarm or incident and what it allows, how many alarms stand, the most that is granted. */
  state?: string;
  allowed?: string[];
  active?: number;
  most_s?: number;
}

export interface Items<T> {
  items: T[];
  next?: string | null;
}

export interface Session {
  key_name: string;
  scopes: string[];
  demo?: boolean;
}

export interface Location {
  longitude: number;
  latitude: number;
  height_m?: number;
}

export interface Park {
  id: string;
  name: Bilingual;
  fictitious: boolean;
  timezone: string;
  boundary: GeoJSON.Polygon | null;
}

export interface Enterprise {
  id: string;
  name: Bilingual;
  area: GeoJSON.Polygon | null;
}

/** What a property is of: the air, the weather, or the plants (a sound level, the temperature of a furnace). */
export type PropertyKind = "gas" | "particle" | "weather" | "process";

export interface Datastream {
  id: number;
  property_id: string;
  property_kind: PropertyKind;
  property_name: Bilingual;
  unit: string;
  cadence: Cadence;
  range_upper: number | null;
  detection_limit: number | null;
}

export interface Station {
  id: string;
  code: string;
  name: Bilingual;
  ring: StationRing;
  enterprise_id: string | null;
  location: Location;
  device: { mn?: string; last_seen?: string | null } | null;
  datastreams: Datastream[];
}

export interface Reading {
  datastream_id: number;
  time: string;
  value: number | null;
  quality: string;
}

export interface Series {
  datastream_id: number;
  unit: string;
  time: string[];
  value: (number | null)[];
  quality: string[];
}

export interface Meteorology {
  at: string;
  window_s: number;
  wind_speed_m_s: number;
  wind_from_deg: number;
  sigma_theta_deg?: number | null;
  temperature_c?: number | null;
}

export interface RuleLevel {
  colour: Colour;
  threshold: number;
  source?: string | null;
}

/** The effective rule of one property in one ring, or at one station that has its own. */
export interface Rule {
  property_id: string;
  ring: StationRing;
  station_id: string | null;
  levels: RuleLevel[];
}

export interface Chemical {
  cas: string;
  name: Bilingual;
  endpoint1_mg_m3: number | null;
  endpoint2_mg_m3: number | null;
}

export interface RiskSource {
  id: string;
  name: Bilingual;
  enterprise_id?: string | null;
  chemical: string;
  location: Location;
  inventory_kg?: number | null;
}

export interface Receptor {
  id: string;
  name: Bilingual;
  kind: string;
  population: number;
  location: Location;
}

export type SourceChoice =
  | { risk_source_id: string }
  | { longitude: number; latitude: number; height_m: number }
  | { suspicion: { alarm_station_ids: string[] } };

export interface RunRequest {
  chemical: string;
  source: SourceChoice;
  rate_kg_s: number | null;
  duration_s: number;
  follow_s: number;
  meteorology: { wind_speed_m_s: number; wind_from_deg: number } | null;
  wait_s: number;
}

export interface Candidate {
  risk_source_id: string;
  name: Bilingual;
  longitude: number;
  latitude: number;
  probability: number;
}

export interface RunSource {
  kind: "risk_source" | "place" | "suspicion";
  risk_source_id: string | null;
  name: Bilingual | null;
  longitude: number;
  latitude: number;
  height_m: number;
  candidates?: Candidate[];
  elsewhere_probability?: number | null;
}

export interface ZoneProperties {
  level_mg_m3: number;
  label: Bilingual;
  key: string;
  colour: Colour;
  area_m2: number;
  max_distance_m: number;
  clipped: boolean;
}

export interface Zone {
  type: "Feature";
  properties: ZoneProperties;
  geometry: GeoJSON.Polygon | GeoJSON.MultiPolygon | null;
}

export interface Zones {
  type: "FeatureCollection";
  features: Zone[];
}

/** The zones at one moment, seconds after the release began. */
export interface Frame {
  time_s: number;
  zones: Zones;
}

export interface ReachedReceptor {
  id: string;
  name: Bilingual;
  kind: string;
  population: number;
  peak_mg_m3: number;
  /** When endpoint-2 is first reached, after the release began; null: never. */
  arrival_s: number | null;
  inside: string[];
}

export interface Remark {
  code: string;
  zh: string;
  en: string;
}

export interface Richardson {
  mode: "continuous" | "instantaneous";
  value: number | null;
  cut_off: number;
  dense: boolean;
  gas_density_kg_m3: number;
  air_density_kg_m3: number;
}

export interface RunMeteorology {
  origin: "stations" | "request";
  at: string;
  age_s: number | null;
  wind_speed_m_s: number;
  wind_from_deg: number;
  sigma_theta_deg: number | null;
  stability_class: string;
  temperature_c: number;
  mixing_height_m: number;
  roughness_m: number;
}

export interface RunResult {
  engine: string;
  version: string;
  reason: Bilingual;
  richardson: Richardson | null;
  warnings: Remark[];
  assumptions: Remark[];
  validity: Bilingual;
  meteorology: RunMeteorology;
  rate_kg_s: number;
  rate_low_kg_s: number | null;
  rate_high_kg_s: number | null;
  /** The maximum over time. */
  zones: Zones;
  frames: Frame[];
  receptors: ReachedReceptor[];
  centreline?: { type: "Feature" | "LineString"; [key: string]: unknown } | null;
  times: { release_start: string; now_s: number; release_end_s: number; end_s: number };
}

export interface Run {
  id: string;
  park_id: string;
  state: RunState;
  trigger: "manual" | "alarm";
  requested_by?: string | null;
  created_at: string;
  finished_at: string | null;
  chemical: string;
  chemical_name?: Bilingual | null;
  source: RunSource | null;
  result: RunResult | null;
  error: (Problem & { detail_zh?: string }) | null;
}
