/** A word for the journal, and with it what it goes with: an acknowledgement, a reset, or nothing more. */

import { useState } from "preact/hooks";
import { api } from "../api";
import type { Alarm } from "../alarmContract";
import { t } from "../i18n";
import { parkId } from "../state";
import type { Task } from "./task";

interface NoteFormProps {
  alarm: Alarm;
  action: "acknowledge" | "reset" | "comment";
  task: Task;
}

export function NoteForm({ alarm, action, task }: NoteFormProps) {
  const [comment, setComment] = useState("");
  const said = comment.trim();
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (await task.run(() => api.act(parkId.value!, alarm.id, action, { comment: said || null }))) setComment("");
  };
  return (
    <form class={`note ${action}`} onSubmit={send}>
      <input
        type="text"
        maxLength={1000}
        placeholder={t(`note.${action}-comment`)}
        aria-label={t(`note.${action}-comment`)}
        value={comment}
        onInput={(event) => setComment(event.currentTarget.value)}
      />
      <button type="submit" class="main-button" disabled={task.busy || (action === "comment" && said === "")}>{t(`note.${action}`)}</button>
    </form>
  );
}
