/** Who was called about an alarm that waits for its acknowledgement, and who comes next. */

import type { Escalation as State } from "../alarmContract";
import { duration } from "../format";
import { named, t } from "../i18n";
import { now } from "../state";

export function Escalation({ state }: { state: State }) {
  const roles = state.called.map((role) => named("role", role)).join(" → ");
  const left = state.next_at === null ? null : (Date.parse(state.next_at) - now.value) / 1000;
  const role = state.next_role === null ? "" : named("role", state.next_role);
  return (
    <p class={`escalation ${state.called.length > 1 ? "climbed" : ""}`}>
      <span>{roles ? t("escalation.called", { roles }) : t("escalation.nobody")}</span>
      <span class="dim num" aria-live="off">
        {left === null ? t("escalation.all") : left > 0 ? t("escalation.next", { role, time: duration(left) }) : t("escalation.due", { role })}
      </span>
    </p>
  );
}
