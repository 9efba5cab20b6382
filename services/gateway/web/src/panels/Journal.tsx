/** The history of one alarm, as the alerts service wrote it. */

import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import type { Alarm, Transition } from "../alarmContract";
import { amount } from "../format";
import { named, t } from "../i18n";
import { placeOf } from "../names";
import { inWords } from "../problems";
import { now, parkId, stationById, timezone } from "../state";
import { clockMoment } from "../time";

/** What an entry says besides its action: which role was called, to whom it was given, until when it is put aside. */
export function particulars(detail: Record<string, unknown> | null | undefined): string | null {
  if (typeof detail?.["role"] === "string") return named("role", detail["role"]);
  if (typeof detail?.["assigned_after"] === "string") return detail["assigned_after"];
  if (typeof detail?.["until"] === "string") return t("alarm.until", { time: clockMoment(detail["until"], now.value, timezone.value) });
  return null;
}

/** One station among those that a rule across stations rests on. */
interface Contribution {
  station_id: string;
  datastream_id: number;
  value: number | null;
  over_range: boolean;
}

/** The evidence of a rule across stations: which ones contributed what. */
function Contributions({ detail }: { detail: Record<string, unknown> | null | undefined }) {
  if (!Array.isArray(detail?.["stations"])) return null;
  const stations = detail["stations"] as Contribution[];
  const unitOf = (one: Contribution): string | null =>
    stationById.value.get(one.station_id)?.datastreams.find((stream) => stream.id === one.datastream_id)?.unit ?? null;
  return (
    <div class="contributions">
      <span class="dim">{t("alarm.evidence")}</span>
      <ul>
        {stations.map((one) => (
          <li key={one.datastream_id}>
            <span>{placeOf(one.station_id)}</span>
            <span class="num">{one.over_range ? "> " : ""}{amount(one.value, unitOf(one))}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Entry({ entry, unit }: { entry: Transition; unit: string | null }) {
  const more = particulars(entry.detail);
  return (
    <li>
      <span class="num dim">{clockMoment(entry.event_time, now.value, timezone.value)}</span>
      <span class={`dot dot-${entry.colour_after}`} aria-hidden="true" />
      <span>{named("action", entry.action)}</span>
      {more && <span>{more}</span>}
      {entry.value !== null && <span class="num">{amount(entry.value, unit)}</span>}
      {entry.actor && <span class="dim">{entry.actor}</span>}
      {entry.comment && <q>{entry.comment}</q>}
      <Contributions detail={entry.detail} />
    </li>
  );
}

export function Journal({ alarm }: { alarm: Alarm }) {
  const [entries, setEntries] = useState<Transition[] | null>(null);
  const [failure, setFailure] = useState<{ what: unknown } | null>(null);
  useEffect(() => {
    let wanted = true;
    api.alarm(parkId.value!, alarm.id).then(
      (found) => {
        if (!wanted) return;
        setEntries(found.journal ?? []);
        setFailure(null);
      },
      (what: unknown) => wanted && setFailure({ what }),
    );
    return () => {
      wanted = false;
    };
  }, [alarm.id, alarm.changed_at, alarm.state, alarm.escalation?.called.length]);
  return (
    <div class="journal">
      <h3>{t("alarm.journal")}</h3>
      {failure && <p class="failure">{inWords(failure.what)}</p>}
      {!entries && !failure && <p class="dim">{t("loading")}</p>}
      <ol>{entries?.map((entry) => <Entry key={entry.id} entry={entry} unit={alarm.unit} />)}</ol>
    </div>
  );
}
