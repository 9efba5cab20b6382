/** Say who is to see to an alarm. */

import { useState } from "preact/hooks";
import { api } from "../api";
import type { Alarm } from "../alarmContract";
import { t } from "../i18n";
import { parkId, session } from "../state";
import { DeskForm } from "./DeskForm";
import type { Task } from "./task";

export function AssignForm({ alarm, task, close }: { alarm: Alarm; task: Task; close: () => void }) {
  const [name, setName] = useState(alarm.assigned_to ?? "");
  const who = session.value;
  const assign = async (assignee: string | null): Promise<void> => {
    if (await task.run(() => api.act(parkId.value!, alarm.id, "assign", { assignee, comment: null }))) close();
  };
  return (
    <DeskForm label={t("act.assign")} go={t("assign.go")} ready={name.trim() !== ""} task={task} send={() => void assign(name.trim())} close={close}>
      <label class="field">
        <span>{t("assign.to")}</span>
        <input type="text" name="assignee" maxLength={200} value={name} onInput={(event) => setName(event.currentTarget.value)} />
      </label>
      <p class="desk-form-extras">
        {typeof who === "object" && <button type="button" class="link-button" onClick={() => setName(who.key_name)}>{t("assign.me")}</button>}
        {alarm.assigned_to && <button type="button" class="link-button" disabled={task.busy} onClick={() => void assign(null)}>{t("assign.nobody")}</button>}
      </p>
    </DeskForm>
  );
}
