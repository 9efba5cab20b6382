/** Put an alarm aside, for a time and for a reason. */

import { useState } from "preact/hooks";
import { api } from "../api";
import type { Alarm } from "../alarmContract";
import { t } from "../i18n";
import { parkId } from "../state";
import { DeskForm, ReasonField, TimeField } from "./DeskForm";
import type { Task } from "./task";

/** Up to a shift, which is the most that the service grants by default [s]. */
const TIMES = [15 * 60, 30 * 60, 3600, 2 * 3600, 4 * 3600, 8 * 3600];

export function ShelveForm({ alarm, task, close }: { alarm: Alarm; task: Task; close: () => void }) {
  const [seconds, setSeconds] = useState<number | null>(3600);
  const [once, setOnce] = useState(false);
  const [reason, setReason] = useState("");
  const send = async (): Promise<void> => {
    const body = { for_s: seconds, once, reason: reason.trim() };
    if (await task.run(() => api.act(parkId.value!, alarm.id, "shelve", body))) close();
  };
  return (
    <DeskForm label={t("act.shelve")} go={t("shelve.go")} ready={reason.trim() !== ""} task={task} send={() => void send()} close={close}>
      <TimeField label={t("shelve.time")} choices={TIMES} value={seconds} set={setSeconds} />
      <label class="check">
        <input type="checkbox" name="once" checked={once} onChange={(event) => setOnce(event.currentTarget.checked)} />
        {t("shelve.once")}
      </label>
      <ReasonField value={reason} set={setReason} />
    </DeskForm>
  );
}
