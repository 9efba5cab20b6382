/** The open alarms, most urgent first. */

import { failures, sortedAlarms, trust } from "../state";
import { t } from "../i18n";
import { loaded } from "../sync";
import { AlarmCard } from "./AlarmCard";
import { StationTally } from "./StationTally";

export function AlarmPanel() {
  const alarms = sortedAlarms.value;
  const unknown = !loaded.value.has("alarms") || failures.value.has("alarms") || trust.value === "stale";
  return (
    <aside class="panel alarms" aria-label={t("alarms")}>
      <StationTally />
      <h2 class="panel-title">{t("alarms")}<span class="count">{alarms.length || ""}</span></h2>
      <div class="panel-body">
        {alarms.length === 0 && <p class="dim empty">{t(unknown ? "alarms.unknown" : "alarms.empty")}</p>}
        <ul class="alarm-list">{alarms.map((alarm) => <AlarmCard key={alarm.id} alarm={alarm} />)}</ul>
      </div>
    </aside>
  );
}
