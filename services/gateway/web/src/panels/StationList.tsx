/** Every station with what it says, the abnormal ones first: the map's content for those who do not use the map. */

import { isDoubted, isInTheAir, isSound, rank, type StationStatus } from "../derive";
import { amount } from "../format";
import { named, said, t } from "../i18n";
import { STATION_SHAPES } from "../map/symbols";
import { placeName } from "../names";
import { showStation } from "../selection";
import { statuses, suppressions } from "../state";

const DATA_ORDER = { unknown: 0, silent: 1, partial: 2, ok: 3 };
const RING_ORDER = ["source", "boundary", "receptor", "meteorology"];

function byUrgency(a: StationStatus, b: StationStatus): number {
  return (
    rank(b.colour) - rank(a.colour) ||
    DATA_ORDER[a.data] - DATA_ORDER[b.data] ||
    RING_ORDER.indexOf(a.station.ring) - RING_ORDER.indexOf(b.station.ring) ||
    a.station.id.localeCompare(b.station.id)
  );
}

function Value({ status }: { status: StationStatus }) {
  if (status.data === "silent" || status.data === "unknown" || !status.lead) {
    return <span class="missing-value">{t(status.data === "unknown" ? "data.unknown" : "values.none")}</span>;
  }
  const { stream, reading } = status.lead;
  const doubted = isDoubted(reading);
  if (!isSound(reading) && !doubted) return <span class="missing-value">{named("quality", reading.quality)}</span>;
  const over = reading.quality === "T" ? "> " : "";
  return (
    <>
      <span class={doubted ? "bad-quality" : "dim"}>{doubted ? named("quality", reading.quality) : isInTheAir(stream) ? said(stream.property_name) : ""}</span>
      <span class="num">{over}{amount(reading.value, stream.unit)}</span>
    </>
  );
}

/** What is put aside is told where the station is listed, so that nobody waits for its alarms. */
function NotInService({ stationId }: { stationId: string }) {
  const kinds = new Set(suppressions.value.filter((one) => one.station_id === stationId).map((one) => one.kind));
  return <>{[...kinds].map((kind) => <span key={kind} class="chip chip-attention">{t(`service.kind.${kind}`)}</span>)}</>;
}

export function StationList() {
  const all = [...statuses.value.values()].sort(byUrgency);
  return (
    <ul class="station-list">
      {all.map((status) => (
        <li key={status.station.id}>
          <button type="button" class={status.colour ? "abnormal" : ""} onClick={() => showStation(status.station.id)}>
            <span class={`station data-${status.data} ${status.colour ? `alarm alarm-${status.colour}` : ""}`}>
              <svg viewBox="-12 -12 24 24" width="20" height="20" aria-hidden="true"><path d={STATION_SHAPES[status.station.ring]} /></svg>
            </span>
            <span class="station-list-name">{placeName(status.station.name)}</span>
            <NotInService stationId={status.station.id} />
            <Value status={status} />
          </button>
        </li>
      ))}
    </ul>
  );
}
