/** Keeps `state.ts` true: fetches at the start, after each event, on reconnection, on return to the page, and regularly. */

import { batch, effect, signal, untracked, type Signal } from "@preact/signals";
import { api, ApiError, whenUnauthorized } from "./api";
import type { Meteorology, Reading } from "./contract";
import { listen } from "./events";
import { alarmId, incidentId, pinnedRunId, shownRun, shownRunId, stationId } from "./selection";
import * as state from "./state";
import { serverNow } from "./time";

const SLOWLY_MS = 60_000;
const RUN_POLL_MS = 2_000;
/** Between two rounds of fetching while events keep coming: a flood of alarms must not become a flood of requests. */
const REST_MS = 300;
const PARK_STORED = "fenceline.park";

/** The parts that have been fetched at least once: an empty list that never came is not an empty list. */
export const loaded = signal<ReadonlySet<string>>(new Set());

function fail(part: string, error: unknown | null): void {
  const next = new Map(state.failures.value);
  if (error === null) next.delete(part);
  else next.set(part, error instanceof Error ? error.message : String(error));
  state.failures.value = next;
}

/** Fetch one part into its signal; on failure keep the old value and say so. */
async function refresh<T>(part: string, target: Signal<T>, fetchIt: (parkId: string) => Promise<T>): Promise<void> {
  const asked = state.parkId.value;
  if (asked === null) return;
  try {
    const value = await fetchIt(asked);
    if (state.parkId.value !== asked) return;
    target.value = value;
    if (!loaded.value.has(part)) loaded.value = new Set([...loaded.value, part]);
    fail(part, null);
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return;
    if (state.parkId.value === asked) fail(part, error);
  }
}

/** Calls that come in a burst become one now and, if more came meanwhile, one after it. */
function coalesced(work: () => Promise<void>): () => void {
  let running = false;
  let again = false;
  const run = async (): Promise<void> => {
    running = true;
    do {
      again = false;
      await work();
      if (again) await new Promise((rested) => setTimeout(rested, REST_MS));
    } while (again);
    running = false;
  };
  return () => {
    if (running) again = true;
    else void run();
  };
}

function takeReadings(items: Reading[]): void {
  const next = new Map(state.readings.value);
  for (const item of items) {
    const known = next.get(item.datastream_id);
    if (!known || Date.parse(item.time) >= Date.parse(known.time)) next.set(item.datastream_id, item);
  }
  state.readings.value = next;
}

/** Readings that have just come in: they also tell how late it is in the park. */
function takeLive(items: Reading[]): void {
  const newest = Math.max(...items.map((item) => Date.parse(item.time) || 0));
  batch(() => {
    takeReadings(items);
    if (newest > (state.parkClock.peek()?.time ?? 0)) state.parkClock.value = { time: newest, heardAt: Date.now() };
  });
}

async function latest(parkId: string): Promise<ReadonlyMap<number, Reading>> {
  const [realtime, minute] = await Promise.all([api.latest(parkId, "realtime"), api.latest(parkId, "minute")]);
  takeReadings([...minute, ...realtime]);
  return state.readings.value;
}

/** The alarms and what goes with them. */
export const refreshAlarms = coalesced(async () => {
  await Promise.all([
    refresh("alarms", state.alarms, api.openAlarms),
    refresh("incidents", state.incidents, api.openIncidents),
    refresh("flood", state.flood, api.flood),
    refresh("suppressions", state.suppressions, api.suppressions),
  ]);
});
export const refreshRuns = coalesced(async () => {
  await refresh("runs", state.runs, api.runs);
  await refreshShownRun();
});
const refreshLatest = coalesced(() => refresh("latest", state.readings, latest));

/** No wind is an answer too: a park without readings has no meteorology. */
async function meteorologyOrNone(parkId: string): Promise<Meteorology | null> {
  try {
    return await api.meteorology(parkId, new Date(state.parkNow.peek()));
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

function refreshSlow(): void {
  void refresh("stations", state.stations, api.stations);
  void refresh("rules", state.rules, api.rules);
  void refresh("meteorology", state.meteorology, meteorologyOrNone);
}

function refreshLive(): void {
  refreshAlarms();
  refreshRuns();
  refreshLatest();
}

function refreshPlaces(): void {
  void refresh("enterprises", state.enterprises, api.enterprises);
  void refresh("risk-sources", state.riskSources, api.riskSources);
  void refresh("receptors", state.receptors, api.receptors);
  void refresh("chemicals", state.chemicals, () => api.chemicals());
}

async function refreshShownRun(): Promise<void> {
  const id = shownRunId.value;
  const parkId = state.parkId.value;
  if (id === null || parkId === null) {
    shownRun.value = null;
    return;
  }
  const known = shownRun.value;
  const ended = known?.state === "failed" || known?.state === "cancelled" || (known?.state === "succeeded" && known.result);
  if (known?.id === id && ended) return;
  try {
    const run = await api.run(parkId, id);
    if (shownRunId.value === id) shownRun.value = run;
    fail("run", null);
  } catch (error) {
    fail("run", error);
  }
}

function forget(): void {
  batch(() => {
    state.stations.value = [];
    state.enterprises.value = [];
    state.riskSources.value = [];
    state.receptors.value = [];
    state.rules.value = [];
    state.alarms.value = [];
    state.incidents.value = [];
    state.flood.value = null;
    state.suppressions.value = [];
    state.runs.value = [];
    state.readings.value = new Map();
    state.meteorology.value = null;
    state.failures.value = new Map();
    loaded.value = new Set();
    state.lastEventAt.value = null;
    state.parkClock.value = null;
    state.link.value = "connecting";
    state.enteredAt.value = Date.now();
    pinnedRunId.value = null;
    shownRun.value = null;
    stationId.value = null;
    alarmId.value = null;
    incidentId.value = null;
  });
}

/** Show one park: fetch all of it and listen; the answer leaves it. */
function enterPark(parkId: string): () => void {
  localStorage.setItem(PARK_STORED, parkId);
  refreshPlaces();
  refreshSlow();
  refreshLive();
  return listen(parkId, {
    opened: () => {
      state.link.value = "open";
      refreshLive();
    },
    lost: () => {
      state.link.value = "lost";
      // An EventSource cannot tell why it was refused; a plain request can (401 leads to the sign-in form).
      refreshAlarms();
    },
    heard: () => {
      state.lastEventAt.value = Date.now();
    },
    observation: takeLive,
    alarm: refreshAlarms,
    run: refreshRuns,
  });
}

/** Who is signed in, and which parks they may see; decides between the sign-in form and the park. */
export async function loadSession(): Promise<void> {
  try {
    const session = await api.session();
    const parks = await api.parks();
    const remembered = localStorage.getItem(PARK_STORED);
    batch(() => {
      state.session.value = session;
      state.parks.value = parks;
      state.parkId.value = (parks.find((one) => one.id === remembered) ?? parks[0])?.id ?? null;
    });
    fail("session", null);
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) state.session.value = "signed-out";
    else {
      fail("session", error);
      setTimeout(() => void loadSession(), 3_000);
    }
  }
}

export async function signOut(): Promise<void> {
  try {
    await api.signOut();
  } finally {
    state.parkId.value = null;
    state.session.value = "signed-out";
  }
}

/** Start everything; called once. */
export function startSync(): void {
  whenUnauthorized(() => {
    state.parkId.value = null;
    state.session.value = "signed-out";
  });
  effect(() => {
    const id = state.parkId.value;
    if (id === null) return undefined;
    return untracked(() => {
      forget();
      return enterPark(id);
    });
  });
  effect(() => {
    void shownRunId.value;
    untracked(() => void refreshShownRun());
  });
  setInterval(() => {
    state.now.value = serverNow();
    state.tick.value = Date.now();
  }, 1_000);
  setInterval(() => {
    refreshSlow();
    // A flood ends, and a shelving too, without anybody doing anything.
    if (state.parkId.value !== null) refreshAlarms();
  }, SLOWLY_MS);
  setInterval(() => {
    if (shownRun.value?.state === "queued" || shownRun.value?.state === "running") void refreshShownRun();
  }, RUN_POLL_MS);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible" && state.parkId.value !== null) refreshLive();
  });
  void loadSession();
}
