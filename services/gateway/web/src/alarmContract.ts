/** The shapes of the alerts service's answers: alarms, incidents, floods, and what is out of service. */

import type { Bilingual, Colour } from "./contract";

export type AlarmState =
  | "unacknowledged"
  | "acknowledged"
  | "returned_unacknowledged"
  | "latched_unacknowledged"
  | "latched"
  | "shelved"
  | "suppressed"
  | "out_of_service"
  | "normal";

/** What an operator can do to one alarm. */
export type AlarmAction = "acknowledge" | "reset" | "shelve" | "unshelve" | "assign" | "comment";

/** Who was called about an alarm that waits for its acknowledgement, and who comes next. Wall time. */
export interface Escalation {
  since: string;
  called: string[];
  next_role: string | null;
  next_at: string | null;
}

export interface Alarm {
  id: string;
  station_id: string;
  station_name?: Bilingual | null;
  datastream_id: number | null;
  property_id: string | null;
  rule_id: string;
  state: AlarmState;
  active: boolean;
  colour: Colour;
  peak_colour: Colour;
  value: number | null;
  peak_value: number | null;
  unit: string | null;
  threshold: number | null;
  raised_at: string;
  changed_at: string;
  acknowledged_by?: string | null;
  acknowledged_at?: string | null;
  comment?: string | null;
  returned_at?: string | null;
  closed_at?: string | null;
  assigned_to?: string | null;
  shelved_until?: string | null;
  shelved_once?: boolean;
  suppressed_by?: string[];
  chattering?: boolean;
  stale?: boolean;
  allowed: string[];
  incident_id?: string | null;
  escalation?: Escalation | null;
  journal?: Transition[];
}

/** One entry of an alarm's journal. */
export interface Transition {
  id: string;
  action: string;
  colour_before: Colour | null;
  colour_after: Colour;
  value: number | null;
  threshold: number | null;
  event_time: string;
  recorded_at: string;
  actor: string | null;
  comment: string | null;
  detail?: Record<string, unknown> | null;
}

export interface Incident {
  id: string;
  state: "active" | "settled" | "closed";
  colour: Colour;
  peak_colour: Colour;
  property_ids: string[];
  station_ids: string[];
  alarms: number;
  /** Alarms that stand and are not hidden. */
  active: number;
  unacknowledged: number;
  opened_at: string;
  last_at: string;
  recorded_at: string;
  closed_at: string | null;
  closed_by: string | null;
  reason_kind: string | null;
  reason: string | null;
}

export const INCIDENT_REASONS = [
  "release",
  "process_upset",
  "false_alarm",
  "instrument_fault",
  "communication_fault",
  "test",
  "maintenance",
  "other",
] as const;

/** A change of an incident, or (with `alarm_id`) a line of the journal of one of its alarms. */
export interface TimelineEntry {
  id: string;
  alarm_id: string | null;
  station_id: string | null;
  what: string;
  colour: Colour;
  value: number | null;
  event_time: string;
  recorded_at: string;
  actor: string | null;
  comment: string | null;
  detail: Record<string, unknown> | null;
}

/** How many alarms call for attention now: `alarms` came in the window, by colour. */
export interface Flood {
  in_flood: boolean;
  began_at: string | null;
  window_s: number;
  begins_above: number;
  alarms: Partial<Record<Colour, number>>;
}

export type SuppressionKind = "maintenance" | "out_of_service";

/** A station, or one of its datastreams, under maintenance or out of service. Wall time. */
export interface Suppression {
  id: string;
  station_id: string;
  datastream_id: number | null;
  kind: SuppressionKind;
  reason: string;
  until: string | null;
  begun_at: string;
  begun_by: string;
}

export interface SuppressionRequest {
  kind: SuppressionKind;
  station_id: string;
  datastream_id: number | null;
  for_s: number | null;
  reason: string;
}
