/** The history of one alarm, as the alerts service wrote it. */

import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import type { Transition } from "../contract";
import { amount } from "../format";
import { named, t } from "../i18n";
import { now, parkId, timezone } from "../state";
import { clockMoment } from "../time";

function Entry({ entry, unit }: { entry: Transition; unit: string | null }) {
  return (
    <li>
      <span class="num dim">{clockMoment(entry.event_time, now.value, timezone.value)}</span>
      <span class={`dot dot-${entry.colour_after}`} aria-hidden="true" />
      <span>{named("action", entry.action)}</span>
      {entry.value !== null && <span class="num">{amount(entry.value, unit)}</span>}
      {entry.actor && <span class="dim">{entry.actor}</span>}
      {entry.comment && <q>{entry.comment}</q>}
    </li>
  );
}

export function Journal({ alarmId, changedAt, unit }: { alarmId: string; changedAt: string; unit: string | null }) {
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
      <ol>{entries?.map((entry) => <Entry key={entry.id} entry={entry} unit={unit} />)}</ol>
    </div>
  );
}
