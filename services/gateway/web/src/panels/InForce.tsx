/** What is under maintenance or out of service: why, since when and by whom, until when; and the way back. */

import { api } from "../api";
import type { Suppression } from "../alarmContract";
import { named, said, t } from "../i18n";
import { mayAct, now, parkId, stationById, timezone } from "../state";
import { clockMoment } from "../time";
import { useTask } from "./task";

export function InForce({ suppression }: { suppression: Suppression }) {
  const task = useTask();
  const moment = (at: string): string => clockMoment(at, now.value, timezone.value);
  const stream = stationById.value.get(suppression.station_id)?.datastreams.find((one) => one.id === suppression.datastream_id);
  const what = suppression.datastream_id === null ? t("service.whole") : said(stream?.property_name) || String(suppression.datastream_id);
  return (
    <li class="in-force">
      <p>
        <span class="chip chip-attention">{named("service.kind", suppression.kind)}</span>
        <span>{what}</span>
        <span class="dim">{suppression.until ? t("alarm.until", { time: moment(suppression.until) }) : t("service.open-ended")}</span>
      </p>
      <q>{suppression.reason}</q>
      <p class="dim small">{t("service.since", { name: suppression.begun_by, time: moment(suppression.begun_at) })}</p>
      {mayAct.value && (
        <button type="button" class="quiet-button" disabled={task.busy} onClick={() => void task.run(() => api.endSuppression(parkId.value!, suppression.id))}>
          {t(`service.end.${suppression.kind}`)}
        </button>
      )}
      {task.failure && <p class="failure" role="alert">{task.failure}</p>}
    </li>
  );
}
