/** Put a station, or one of its measurements, under maintenance or out of service. */

import { useState } from "preact/hooks";
import { api } from "../api";
import type { SuppressionKind } from "../alarmContract";
import type { Station } from "../contract";
import { primaryDatastreams } from "../derive";
import { said, t } from "../i18n";
import { parkId } from "../state";
import { DeskForm, ReasonField, TimeField } from "./DeskForm";
import type { Task } from "./task";

/** Up to a week, which is the most that the service grants to maintenance by default [s]. */
const TIMES = [3600, 2 * 3600, 4 * 3600, 8 * 3600, 86_400, 3 * 86_400, 7 * 86_400];

interface ServiceFormProps {
  station: Station;
  /** Of what to begin with; null: the whole station. */
  datastreamId: number | null;
  task: Task;
  close: () => void;
}

export function ServiceForm({ station, datastreamId, task, close }: ServiceFormProps) {
  const [kind, setKind] = useState<SuppressionKind>("maintenance");
  const [stream, setStream] = useState(datastreamId);
  const [seconds, setSeconds] = useState<number | null>(2 * 3600);
  const [reason, setReason] = useState("");
  const endless = kind === "out_of_service";
  const send = async (): Promise<void> => {
    const request = { kind, station_id: station.id, datastream_id: stream, for_s: seconds, reason: reason.trim() };
    if (await task.run(() => api.suppress(parkId.value!, request))) close();
  };
  const chooseKind = (next: SuppressionKind): void => {
    setKind(next);
    setSeconds(next === "out_of_service" ? null : 2 * 3600);
  };
  return (
    <DeskForm label={t("service.begin")} go={t("service.go")} ready={reason.trim() !== ""} task={task} send={() => void send()} close={close}>
      <label class="field">
        <span>{t("service.what")}</span>
        <select name="kind" value={kind} onChange={(event) => chooseKind(event.currentTarget.value as SuppressionKind)}>
          <option value="maintenance">{t("service.kind.maintenance")}</option>
          <option value="out_of_service">{t("service.kind.out_of_service")}</option>
        </select>
      </label>
      <p class="dim small">{t(`service.hint.${kind}`)}</p>
      <label class="field">
        <span>{t("service.scope")}</span>
        <select name="scope" value={stream === null ? "" : String(stream)} onChange={(event) => setStream(event.currentTarget.value === "" ? null : Number(event.currentTarget.value))}>
          <option value="">{t("service.whole")}</option>
          {primaryDatastreams(station).map((one) => <option key={one.id} value={String(one.id)}>{said(one.property_name) || one.property_id}</option>)}
        </select>
      </label>
      <TimeField key={kind} label={t("service.time")} choices={TIMES} value={seconds} set={setSeconds} {...(endless ? { openEnded: t("service.open-ended") } : {})} />
      <ReasonField value={reason} set={setReason} />
    </DeskForm>
  );
}
