/** All that can be done to an opened alarm besides its acknowledgement: what its state does not allow is not offered. */

import { useState } from "preact/hooks";
import { api } from "../api";
import type { Alarm } from "../alarmContract";
import { t, type Word } from "../i18n";
import { parkId, stationById, suppressions } from "../state";
import { AssignForm } from "./AssignForm";
import { InForce } from "./InForce";
import { NoteForm } from "./NoteForm";
import { ServiceForm } from "./ServiceForm";
import { ShelveForm } from "./ShelveForm";
import type { Task } from "./task";

type Form = "shelve" | "assign" | "comment" | "service";

/** Why it is hidden, where somebody hid its station or its measurement. */
function Hiding({ alarm }: { alarm: Alarm }) {
  const covers = suppressions.value.filter(
    (one) => one.station_id === alarm.station_id && (one.datastream_id === null || one.datastream_id === alarm.datastream_id),
  );
  return covers.length > 0 ? <ul>{covers.map((one) => <InForce key={one.id} suppression={one} />)}</ul> : null;
}

export function AlarmActions({ alarm, task }: { alarm: Alarm; task: Task }) {
  const [form, setForm] = useState<Form | null>(null);
  const can = new Set(alarm.allowed);
  const station = stationById.value.get(alarm.station_id);
  const close = (): void => setForm(null);
  const opener = (name: Form, word: Word) => (
    <button type="button" class="quiet-button" aria-expanded={form === name} onClick={() => setForm(form === name ? null : name)}>{t(word)}</button>
  );
  return (
    <div class="alarm-actions" role="group" aria-label={t("alarm.actions")}>
      <Hiding alarm={alarm} />
      <div class="alarm-buttons">
        {can.has("unshelve") && (
          <button type="button" class="quiet-button" disabled={task.busy} onClick={() => void task.run(() => api.act(parkId.value!, alarm.id, "unshelve", {}))}>{t("act.unshelve")}</button>
        )}
        {can.has("shelve") && opener("shelve", alarm.state === "shelved" ? "act.shelve-again" : "act.shelve")}
        {can.has("assign") && opener("assign", "act.assign")}
        {can.has("comment") && opener("comment", "act.comment")}
        {station && opener("service", "act.service")}
      </div>
      {form === "shelve" && can.has("shelve") && <ShelveForm alarm={alarm} task={task} close={close} />}
      {form === "assign" && <AssignForm alarm={alarm} task={task} close={close} />}
      {form === "comment" && <NoteForm alarm={alarm} action="comment" task={task} />}
      {form === "service" && station && <ServiceForm station={station} datastreamId={alarm.datastream_id} task={task} close={close} />}
    </div>
  );
}
