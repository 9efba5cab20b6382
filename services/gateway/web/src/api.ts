/** A typed client of the gateway. Every answer that is not a success becomes an `ApiError` that carries the problem. */

import type { Alarm, AlarmAction, Flood, Incident, Suppression, SuppressionRequest, TimelineEntry } from "./alarmContract";
import type {
  Chemical,
  Enterprise,
  Items,
  Meteorology,
  Park,
  Problem,
  Reading,
  Receptor,
  RiskSource,
  Rule,
  Run,
  RunRequest,
  Series,
  Session,
  Station,
} from "./contract";
import { learnServerTime } from "./time";

const ROOT = "/api/v1";
const TIMEOUT_MS = 20_000;

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
  ) {
    super(problem.detail ?? problem.title ?? `HTTP ${status}`);
  }
}

let onUnauthorized: () => void = () => undefined;

/** What to do when the session has ended; set once by the page. */
export function whenUnauthorized(action: () => void): void {
  onUnauthorized = action;
}

async function problemOf(response: Response): Promise<Problem> {
  try {
    return (await response.json()) as Problem;
  } catch {
    return { title: response.statusText, status: response.status };
  }
}

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json", "X-Fenceline-Request": "page" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const sent = performance.now();
  const response = await fetch(ROOT + path, {
    method,
    headers,
    credentials: "same-origin",
    cache: "no-store",
    body: body === undefined ? null : JSON.stringify(body),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  learnServerTime(response.headers.get("Date"), performance.now() - sent);
  if (!response.ok) {
    if (response.status === 401 && path !== "/session") onUnauthorized();
    throw new ApiError(response.status, await problemOf(response));
  }
  return (response.status === 204 ? undefined : await response.json()) as T;
}

async function all<T>(path: string): Promise<T[]> {
  const found: T[] = [];
  let cursor: string | null | undefined;
  do {
    const joint = path.includes("?") ? "&" : "?";
    const page: Items<T> = await call("GET", cursor ? `${path}${joint}cursor=${encodeURIComponent(cursor)}` : path);
    found.push(...page.items);
    cursor = page.next;
  } while (cursor);
  return found;
}

const park = (id: string): string => `/parks/${encodeURIComponent(id)}`;

export const api = {
  session: () => call<Session>("GET", "/session"),
  signIn: (apiKey: string) => call<Session>("POST", "/session", { api_key: apiKey }),
  signOut: () => call<void>("DELETE", "/session"),
  parks: () => all<Park>("/parks"),
  stations: (id: string) => all<Station>(`${park(id)}/stations`),
  enterprises: (id: string) => all<Enterprise>(`${park(id)}/enterprises`),
  riskSources: (id: string) => all<RiskSource>(`${park(id)}/risk-sources`),
  receptors: (id: string) => all<Receptor>(`${park(id)}/receptors`),
  rules: (id: string) => all<Rule>(`${park(id)}/rules`),
  chemicals: () => all<Chemical>("/chemicals"),
  latest: (id: string, cadence: string) => all<Reading>(`${park(id)}/latest?cadence=${cadence}`),
  meteorology: (id: string, at: Date) =>
    call<Meteorology>("GET", `${park(id)}/meteorology?${new URLSearchParams({ at: at.toISOString(), window_s: "600" })}`),
  openAlarms: (id: string) => all<Alarm>(`${park(id)}/alarms?state=open&limit=200`),
  alarm: (id: string, alarmId: string) => call<Alarm>("GET", `${park(id)}/alarms/${encodeURIComponent(alarmId)}`),
  act: (id: string, alarmId: string, action: AlarmAction, body: object) =>
    call<Alarm>("POST", `${park(id)}/alarms/${encodeURIComponent(alarmId)}/${action}`, body),
  openIncidents: (id: string) => all<Incident>(`${park(id)}/incidents?state=open&limit=200`),
  lateIncidents: async (id: string): Promise<Incident[]> =>
    (await call<Items<Incident>>("GET", `${park(id)}/incidents?state=all&limit=50`)).items,
  timeline: (id: string, incidentId: string, cursor: string | null) => {
    const query = new URLSearchParams(cursor ? { limit: "200", cursor } : { limit: "200" });
    return call<Items<TimelineEntry>>("GET", `${park(id)}/incidents/${encodeURIComponent(incidentId)}/timeline?${query}`);
  },
  closeIncident: (id: string, incidentId: string, kind: string, reason: string) =>
    call<Incident>("POST", `${park(id)}/incidents/${encodeURIComponent(incidentId)}/close`, { kind, reason }),
  flood: (id: string) => call<Flood>("GET", `${park(id)}/flood?limit=1`),
  suppressions: (id: string) => all<Suppression>(`${park(id)}/suppressions?state=in_force&limit=200`),
  suppress: (id: string, request: SuppressionRequest) => call<Suppression>("POST", `${park(id)}/suppressions`, request),
  endSuppression: (id: string, suppressionId: string) =>
    call<Suppression>("POST", `${park(id)}/suppressions/${encodeURIComponent(suppressionId)}/end`, {}),
  runs: async (id: string): Promise<Run[]> => (await call<Items<Run>>("GET", `${park(id)}/runs?limit=20`)).items,
  run: (id: string, runId: string) => call<Run>("GET", `${park(id)}/runs/${encodeURIComponent(runId)}`),
  startRun: (id: string, request: RunRequest) => call<Run>("POST", `${park(id)}/runs`, request),
  observations: (id: string, datastreamIds: number[], start: Date, end: Date) => {
    const query = new URLSearchParams(datastreamIds.map((datastream) => ["datastream_id", String(datastream)]));
    query.set("start", start.toISOString());
    query.set("end", end.toISOString());
    query.set("limit", "10000");
    return all<Series>(`${park(id)}/observations?${query}`);
  },
};
