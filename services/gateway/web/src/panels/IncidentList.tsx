/** The incidents: those that stand first; on request those that were closed of late too. */

import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import type { Incident } from "../alarmContract";
import { byPressure } from "../derive";
import { t } from "../i18n";
import { inWords } from "../problems";
import { failures, incidents, parkId, trust } from "../state";
import { loaded } from "../sync";
import { IncidentCard } from "./IncidentCard";

/** The latest incidents, closed ones too; fetched again when an open one comes or goes. */
function useLate(wanted: boolean): { late: Incident[]; failure: unknown } {
  const [late, setLate] = useState<Incident[]>([]);
  const [failure, setFailure] = useState<unknown>(null);
  const open = incidents.value.map((one) => one.id).join();
  useEffect(() => {
    if (!wanted) return undefined;
    let current = true;
    api.lateIncidents(parkId.value!).then(
      (found) => {
        if (!current) return;
        setLate(found);
        setFailure(null);
      },
      (error: unknown) => current && setFailure(error),
    );
    return () => {
      current = false;
    };
  }, [wanted, open]);
  return { late: wanted ? late : [], failure: wanted ? failure : null };
}

export function IncidentList() {
  const [closedToo, setClosedToo] = useState(false);
  const { late, failure } = useLate(closedToo);
  const open = incidents.value;
  const known = new Set(open.map((one) => one.id));
  const shown = [...open, ...late.filter((one) => !known.has(one.id))].sort(byPressure);
  const unknown = !loaded.value.has("incidents") || failures.value.has("incidents") || trust.value === "stale";
  const choice = (all: boolean) => (
    <button type="button" aria-pressed={closedToo === all} onClick={() => setClosedToo(all)}>{t(all ? "incidents.all" : "incidents.open")}</button>
  );
  return (
    <>
      <div class="segmented desk-filter">{choice(false)}{choice(true)}</div>
      {failure !== null && <p class="failure" role="alert">{inWords(failure)}</p>}
      {shown.length === 0 && <p class="dim empty">{t(unknown ? "incidents.unknown" : closedToo ? "incidents.none" : "incidents.empty")}</p>}
      <ul class="alarm-list">{shown.map((incident) => <IncidentCard key={incident.id} incident={incident} />)}</ul>
    </>
  );
}
