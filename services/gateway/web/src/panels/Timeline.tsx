/** What happened to an incident and to each of its alarms, in the order in which it was recorded. */

import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import type { Incident, TimelineEntry } from "../alarmContract";
import { isWord, named, t } from "../i18n";
import { placeOf } from "../names";
import { inWords } from "../problems";
import { now, parkId, timezone } from "../state";
import { clockMoment } from "../time";
import { particulars } from "./Journal";

function Line({ line }: { line: TimelineEntry }) {
  const own = line.alarm_id === null;
  const station = line.station_id === null ? "" : placeOf(line.station_id);
  const more = own ? null : particulars(line.detail);
  return (
    <li class={own ? "turn" : ""}>
      <span class="num dim">{clockMoment(line.event_time, now.value, timezone.value)}</span>
      <span class={`dot dot-${line.colour}`} title={isWord(`colour.${line.colour}`) ? t(`colour.${line.colour}`) : ""} aria-hidden="true" />
      <span>{named(own ? "change" : "action", line.what)}</span>
      {station && <span>{station}</span>}
      {more && <span>{more}</span>}
      {line.actor && <span class="dim">{line.actor}</span>}
      {line.comment && <q>{line.comment}</q>}
    </li>
  );
}

interface Lines {
  items: TimelineEntry[];
  next: string | null;
}

/** The first `least` lines at least, where there are so many. */
async function fetchLines(incidentId: string, least: number): Promise<Lines> {
  const items: TimelineEntry[] = [];
  let next: string | null = null;
  do {
    const page = await api.timeline(parkId.value!, incidentId, next);
    items.push(...page.items);
    next = page.next ?? null;
  } while (next !== null && items.length < least);
  return { items, next };
}

export function Timeline({ incident }: { incident: Incident }) {
  const [lines, setLines] = useState<Lines | null>(null);
  const [least, setLeast] = useState(1);
  const [failure, setFailure] = useState<{ what: unknown } | null>(null);
  useEffect(() => {
    let wanted = true;
    fetchLines(incident.id, least).then(
      (found) => {
        if (!wanted) return;
        setLines(found);
        setFailure(null);
      },
      (what: unknown) => wanted && setFailure({ what }),
    );
    return () => {
      wanted = false;
    };
  }, [incident.id, incident.last_at, incident.state, incident.alarms, incident.unacknowledged, least]);
  return (
    <section class="journal">
      <h3>{t("incident.timeline")}</h3>
      {failure && <p class="failure">{inWords(failure.what)}</p>}
      {!lines && !failure && <p class="dim">{t("loading")}</p>}
      <ol>{lines?.items.map((line) => <Line key={line.id} line={line} />)}</ol>
      {lines?.next && <button type="button" class="quiet-button" onClick={() => setLeast(lines.items.length + 1)}>{t("incident.more")}</button>}
    </section>
  );
}
