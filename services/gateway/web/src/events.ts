/** The gateway's live events. They ring the bell; what they tell of is fetched again, so a lost one does no harm. */

import type { Reading } from "./contract";

export interface EventHandlers {
  opened: () => void;
  lost: () => void;
  heard: () => void;
  observation: (readings: Reading[]) => void;
  alarm: () => void;
  run: () => void;
}

/** EventSource gives up for good on an HTTP error; then a fresh one is tried after this [ms]. */
const RETRY_MS = 3_000;

function readingsOf(data: string): Reading[] {
  try {
    const message = JSON.parse(data) as { items?: Reading[] };
    return Array.isArray(message.items) ? message.items : [];
  } catch {
    return [];
  }
}

/** Listen to the events of one park; the answer stops listening. */
export function listen(parkId: string, handlers: EventHandlers): () => void {
  let source: EventSource | null = null;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let lastEventId = "";

  const open = (): void => {
    const query = new URLSearchParams({ park_id: parkId });
    if (lastEventId) query.set("last_event_id", lastEventId);
    source = new EventSource(`/api/v1/events?${query}`);
    source.onopen = handlers.opened;
    source.onerror = () => {
      handlers.lost();
      if (source?.readyState === EventSource.CLOSED) retry = setTimeout(open, RETRY_MS);
    };
    const on = (kind: string, handle: (data: string) => void): void =>
      source?.addEventListener(kind, (event: MessageEvent<string>) => {
        lastEventId = event.lastEventId || lastEventId;
        handlers.heard();
        handle(event.data);
      });
    on("observation", (data) => handlers.observation(readingsOf(data)));
    for (const kind of ["alarm", "incident", "flood", "notification"]) on(kind, handlers.alarm);
    on("run", handlers.run);
  };

  open();
  return () => {
    clearTimeout(retry);
    source?.close();
  };
}
