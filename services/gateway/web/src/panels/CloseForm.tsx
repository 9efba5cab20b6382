/** Say what an incident was, and close it. */

import { useState } from "preact/hooks";
import { api } from "../api";
import { INCIDENT_REASONS, type Incident } from "../alarmContract";
import { t } from "../i18n";
import { parkId } from "../state";
import { DeskForm, ReasonField } from "./DeskForm";
import type { Task } from "./task";

export function CloseForm({ incident, task }: { incident: Incident; task: Task }) {
  const [kind, setKind] = useState("");
  const [reason, setReason] = useState("");
  const ready = kind !== "" && reason.trim() !== "";
  const send = (): void => void task.run(() => api.closeIncident(parkId.value!, incident.id, kind, reason.trim()));
  return (
    <DeskForm label={t("incident.close")} go={t("incident.close")} ready={ready} task={task} send={send}>
      <label class="field">
        <span>{t("incident.kind")}</span>
        <select name="kind" value={kind} onChange={(event) => setKind(event.currentTarget.value)}>
          <option value="">{t("form.choose")}</option>
          {INCIDENT_REASONS.map((one) => <option key={one} value={one}>{t(`kind-of-incident.${one}`)}</option>)}
        </select>
      </label>
      <ReasonField value={reason} set={setReason} />
    </DeskForm>
  );
}
