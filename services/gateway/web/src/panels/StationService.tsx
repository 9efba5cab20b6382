/** Whether a station is in service; taken out of it, and put back, here. */

import { useState } from "preact/hooks";
import type { Station } from "../contract";
import { t } from "../i18n";
import { mayAct, suppressions } from "../state";
import { InForce } from "./InForce";
import { ServiceForm } from "./ServiceForm";
import { useTask } from "./task";

export function StationService({ station }: { station: Station }) {
  const [open, setOpen] = useState(false);
  const task = useTask();
  const own = suppressions.value.filter((one) => one.station_id === station.id);
  return (
    <section class="station-service">
      <h3>{t("service")}</h3>
      {own.length === 0 ? <p class="dim small">{t("service.none")}</p> : <ul>{own.map((one) => <InForce key={one.id} suppression={one} />)}</ul>}
      {mayAct.value && !open && <button type="button" class="quiet-button" onClick={() => setOpen(true)}>{t("service.begin")}</button>}
      {task.failure && <p class="failure" role="alert">{task.failure}</p>}
      {mayAct.value && open && <ServiceForm station={station} datastreamId={null} task={task} close={() => setOpen(false)} />}
    </section>
  );
}
