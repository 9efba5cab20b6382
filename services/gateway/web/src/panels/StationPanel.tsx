/** The chosen station, or all of them. */

import { StationDetail } from "./StationDetail";
import { StationList } from "./StationList";
import { stationId } from "../selection";
import { statuses } from "../state";

export function StationPanel() {
  const status = stationId.value === null ? undefined : statuses.value.get(stationId.value);
  return status ? <StationDetail key={status.station.id} status={status} /> : <StationList />;
}
