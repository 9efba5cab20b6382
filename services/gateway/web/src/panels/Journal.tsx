/** The history of one alarm, as the alerts service wrote it. */

import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import type { Transition } from "../contract";
import { amount } from "../format";
import { named, t } from "../i18n";
import { now, parkId, timezone } from "../state";
import { clockMoment } from "../time";

function Entry({ entry }: { entry: Transition }) {
  const at = entry.event_time ?? entry.recorded_at;
  return (
    <li>
      <span class="num dim">{at ? clockMoment(at, now.value, timezone.value) : "–"}</span>
      {entry.colour && <span class={`dot dot-${entry.colour}`} aria-hidden="true" />}
      <span>{named("transition", entry.transition)}</span>
      {entry.value !== null && entry.value !== undefined && <span class="num">{amount(entry.value, entry.unit)}</span>}
      {entry.actor && <span class="dim">{entry.actor}</span>}
      {entry.comment && <q>{entry.comment}</q>}
    </li>
  );
}

export function Journal({ alarmId, changedAt }: { alarmId: string; changedAt: string }) {
  const [entries, setEntries] = useState<Transition[] | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  useEffect(() => {
    let wanted = true;
    api.alarm(parkId.value!, alarmId).then(
      (alarm) => wanted && setEntries(alarm.journal ?? []),
      (error: unknown) => wanted && setFailure(String((error as Error).message)),
    );
    return () => {
      wanted = false;
    };
  }, [alarmId, changedAt]);
  return (
    <div class="journal">
      <h3>{t("alarm.journal")}</h3>
      {failure && <p class="failure">{failure}</p>}
      {!entries && !failure && <p class="dim">{t("loading")}</p>}
      <ol>{entries?.map((entry, n) => <Entry key={n} entry={entry} />)}</ol>
    </div>
  );
}
