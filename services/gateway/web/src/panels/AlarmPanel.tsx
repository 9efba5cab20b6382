/** The operator's desk: the open alarms, and the incidents that they are of. */

import { t } from "../i18n";
import { desk } from "../selection";
import { incidents, sortedAlarms } from "../state";
import { AlarmList } from "./AlarmList";
import { IncidentList } from "./IncidentList";
import { StationTally } from "./StationTally";
import { Tabs } from "./Tabs";

export function AlarmPanel() {
  return (
    <aside class="panel alarms" aria-label={t("alarms")}>
      <StationTally />
      <Tabs
        items={[
          { name: "alarms", word: "alarms", count: sortedAlarms.value.length },
          { name: "incidents", word: "incidents", count: incidents.value.length },
        ]}
        chosen={desk}
        controls="desk"
      />
      <div class="panel-body" id="desk" role="tabpanel" aria-labelledby={`tab-${desk.value}`}>
        {desk.value === "alarms" ? <AlarmList /> : <IncidentList />}
      </div>
    </aside>
  );
}
