/** One station: what it reads now, how good that is, how it came to it. */

import { useState } from "preact/hooks";
import type { Datastream } from "../contract";
import { isFresh, isInTheAir, isSound, levelsFor, primaryDatastreams, rank, type StationStatus } from "../derive";
import { amount, duration, number, unit } from "../format";
import { named, said, t } from "../i18n";
import { placeName } from "../names";
import { showStation } from "../selection";
import { alarms, now, parkNow, readings, rules, timezone } from "../state";
import { clockMoment } from "../time";
import { Chart } from "./Chart";
import { StationService } from "./StationService";

function ValueRow({ stream, chosen, choose }: { stream: Datastream; chosen: boolean; choose: () => void }) {
  const reading = readings.value.get(stream.id);
  const fresh = isFresh(reading, stream.cadence, parkNow.value);
  const alarm = alarms.value.find((one) => one.active && one.datastream_id === stream.id);
  const over = reading?.quality === "T" ? "> " : "";
  const bad = reading && !isSound(reading);
  return (
    <tr class={`${chosen ? "chosen" : ""} ${fresh ? "" : "stale-row"} ${alarm ? `row-${alarm.colour}` : ""}`}>
      <th scope="row"><button type="button" class="link-button" aria-pressed={chosen} onClick={choose}>{said(stream.property_name) || stream.property_id}</button></th>
      <td class="num value">{reading ? <>{over}{number(reading.value)} <small>{unit(stream.unit)}</small></> : t("values.none")}</td>
      <td class={bad ? "bad-quality" : reading?.quality === "T" ? "over-range" : "dim"}>{reading ? named("quality", reading.quality) : "–"}</td>
      <td class="num dim">{reading ? clockMoment(reading.time, now.value, timezone.value) : "–"}{reading && !fresh && <em class="old">{t("values.old")}</em>}</td>
    </tr>
  );
}

/** The datastream to chart first: that of the worst alarm, else the first gas. */
function firstStream(status: StationStatus, streams: Datastream[]): number | undefined {
  const worst = alarms.value
    .filter((alarm) => alarm.station_id === status.station.id && alarm.datastream_id !== null)
    .sort((a, b) => rank(b.colour) - rank(a.colour))[0];
  const fitting = streams.find((one) => one.property_id === worst?.property_id);
  return (fitting ?? streams.find(isInTheAir) ?? streams[0])?.id;
}

export function StationDetail({ status }: { status: StationStatus }) {
  const { station } = status;
  const streams = primaryDatastreams(station);
  const [streamId, setStreamId] = useState(() => firstStream(status, streams));
  const [minutes, setMinutes] = useState(30);
  const stream = streams.find((one) => one.id === streamId) ?? streams[0];
  const seen = station.device?.last_seen;
  return (
    <article class="station-detail">
      <button type="button" class="link-button back" onClick={() => showStation(null)}>‹ {t("stations.back")}</button>
      <h2>{placeName(station.name)}</h2>
      <p class="station-facts">
        <span class="chip">{named("ring", station.ring)}</span>
        {status.colour && <span class={`chip chip-${status.colour}`}>{t(`colour.${status.colour}`)}</span>}
        <span class={`chip ${status.data === "ok" ? "" : "chip-attention"}`}>{t(`data.${status.data}`)}</span>
        <span class="dim">{station.code}</span>
      </p>
      <table class="values">
        <thead><tr><th>{t("values.property")}</th><th class="num">{t("values.value")}</th><th>{t("values.quality")}</th><th class="num">{t("values.time")}</th></tr></thead>
        <tbody>{streams.map((one) => <ValueRow key={one.id} stream={one} chosen={one.id === stream?.id} choose={() => setStreamId(one.id)} />)}</tbody>
      </table>
      {stream && (
        <section class="chart-box">
          <header>
            <h3>{said(stream.property_name)} <small class="dim">{unit(stream.unit)}</small></h3>
            <div class="segmented">
              {[30, 60].map((count) => <button key={count} type="button" aria-pressed={minutes === count} onClick={() => setMinutes(count)}>{t("chart.minutes", { count })}</button>)}
            </div>
          </header>
          <Chart key={`${stream.id}`} stream={stream} minutes={minutes} levels={levelsFor(rules.value, station, stream.property_id)} />
          <ul class="level-list">
            {levelsFor(rules.value, station, stream.property_id).map((level) => (
              <li key={level.colour} title={level.source ?? ""}><span class={`dot dot-${level.colour}`} aria-hidden="true" />{t(`colour.${level.colour}`)} <span class="num">{amount(level.threshold, stream.unit)}</span></li>
            ))}
          </ul>
          <p class="dim small">{t("chart.gaps")}</p>
        </section>
      )}
      <StationService station={station} />
      <dl class="facts">
        <dt>{t("station.last-seen")}</dt>
        <dd>{seen ? `${clockMoment(seen, now.value, timezone.value)} (${t("ago", { time: duration((now.value - Date.parse(seen)) / 1000) })})` : t("station.never")}</dd>
      </dl>
    </article>
  );
}
