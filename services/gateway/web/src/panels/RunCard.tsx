/** One run: where it stands and, once done, what it found and what it assumed. Warnings come first. */

import type { Run, RunResult } from "../contract";
import { amount, area, distance, duration, number, percent, place } from "../format";
import { compassPoint, language, named, said, t } from "../i18n";
import { zoneColour } from "../map/footprint";
import { moveTo } from "../map/view";
import { chemicalName, placeName } from "../names";
import { now, parkNow, timezone } from "../state";
import { clockMoment } from "../time";
import { ReceptorTable } from "./ReceptorTable";

function Warnings({ result }: { result: RunResult }) {
  if (result.warnings.length === 0) return null;
  return (
    <section class="warnings" role="note">
      <h3>{t("run.warnings")}</h3>
      <ul>{result.warnings.map((warning) => <li key={warning.code}>{said(warning)}</li>)}</ul>
    </section>
  );
}

function Candidates({ run }: { run: Run }) {
  const candidates = run.source?.candidates ?? [];
  if (candidates.length === 0) return null;
  const elsewhere = run.source?.elsewhere_probability;
  return (
    <section>
      <h3>{t("run.candidates")}</h3>
      <ol class="candidates">
        {candidates.slice(0, 5).map((one) => (
          <li key={one.risk_source_id}>
            <button type="button" onClick={() => moveTo(one.longitude, one.latitude)}>
              <span>{placeName(one.name)}</span>
              <meter min={0} max={1} value={one.probability} aria-hidden="true" />
              <span class="num">{percent(one.probability)}</span>
            </button>
          </li>
        ))}
        {elsewhere !== null && elsewhere !== undefined && (
          <li class="elsewhere"><span>{t("run.elsewhere")}</span><meter min={0} max={1} value={elsewhere} aria-hidden="true" /><span class="num">{percent(elsewhere)}</span></li>
        )}
      </ol>
    </section>
  );
}

function ZoneTable({ result }: { result: RunResult }) {
  return (
    <section>
      <h3>{t("run.zones")}</h3>
      <table class="zones">
        <thead><tr><th>{t("run.zone-level")}</th><th class="num">mg/m³</th><th class="num">{t("run.zone-reach")}</th><th class="num">{t("run.zone-area")}</th></tr></thead>
        <tbody>
          {result.zones.features.map((zone) => {
            const { key, level_mg_m3, area_m2, max_distance_m, clipped } = zone.properties;
            const atLeast = clipped ? "≥ " : "";
            return (
              <tr key={`${key}:${level_mg_m3}`}>
                <th scope="row"><span class={`swatch swatch-${zoneColour(zone)}`} aria-hidden="true" />{named("zone", key)}</th>
                <td class="num">{number(level_mg_m3)}</td>
                <td class="num" title={clipped ? t("run.clipped") : undefined}>{zone.geometry ? atLeast + distance(max_distance_m) : "–"}</td>
                <td class="num">{zone.geometry ? atLeast + area(area_m2) : "–"}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

function WeatherUsed({ result }: { result: RunResult }) {
  const weather = result.meteorology;
  return (
    <>
      <dt>{t("run.weather")}</dt>
      <dd>
        {t("wind.from", { point: compassPoint(weather.wind_from_deg), degrees: Math.round(weather.wind_from_deg) })}
        {language.value === "zh" ? "，" : ", "}{weather.wind_speed_m_s.toFixed(1)} m/s · {t("run.stability", { letter: weather.stability_class })} · {number(weather.temperature_c)} °C
        <span class="dim"> ({t(`run.weather-${weather.origin}`)}, {clockMoment(weather.at, now.value, timezone.value)})</span>
      </dd>
    </>
  );
}

function Richardson({ result }: { result: RunResult }) {
  const ri = result.richardson;
  if (!ri) return null;
  const value = ri.value === null ? t("run.ri-light") : t("run.ri-value", { value: number(ri.value), cut: number(ri.cut_off) });
  return (
    <>
      <dt>{t("run.ri")}</dt>
      <dd class={ri.dense ? "attention" : ""}>{value} · {t(ri.dense ? "run.dense" : "run.neutral")}</dd>
    </>
  );
}

function Found({ run, result }: { run: Run; result: RunResult }) {
  const { rate_kg_s, rate_low_kg_s, rate_high_kg_s } = result;
  return (
    <>
      <Warnings result={result} />
      <ReceptorTable receptors={result.receptors} nowS={(parkNow.value - Date.parse(result.times.release_start)) / 1000} />
      <Candidates run={run} />
      <ZoneTable result={result} />
      <section>
        <h3>{t("run.engine")}</h3>
        <dl class="facts">
          <dt>{t("run.rate")}</dt>
          <dd>
            <span class="num">{amount(rate_kg_s, "kg/s")}</span>
            {rate_low_kg_s !== null && rate_high_kg_s !== null && <span class="dim"> {t("run.rate-range", { low: number(rate_low_kg_s), high: number(rate_high_kg_s) })}</span>}
          </dd>
          <WeatherUsed result={result} />
          <Richardson result={result} />
          <dt>{result.engine} <span class="dim">{result.version}</span></dt>
          <dd>{said(result.reason)}</dd>
          <dt>{t("run.validity")}</dt>
          <dd>{said(result.validity)}</dd>
        </dl>
        <details class="assumptions">
          <summary>{t("run.assumptions")} <span class="count">{result.assumptions.length}</span></summary>
          <ul>{result.assumptions.map((one) => <li key={one.code}>{said(one)}</li>)}</ul>
        </details>
      </section>
    </>
  );
}

function failureText(run: Run): string {
  const error = run.error;
  return (language.value === "zh" ? error?.detail_zh : undefined) ?? error?.detail ?? error?.title ?? "";
}

export function RunCard({ run }: { run: Run }) {
  const where = run.source && (placeName(run.source.name) || place(run.source.longitude, run.source.latitude));
  const busy = run.state === "queued" || run.state === "running";
  const waited = (now.value - Date.parse(run.created_at)) / 1000;
  return (
    <article class={`run-card run-${run.state}`}>
      <header>
        <h2>{said(run.chemical_name) || chemicalName(run.chemical)}</h2>
        <span class="chip">{t(`run.trigger.${run.trigger}`)}</span>
        <span class={`chip ${run.state === "failed" ? "chip-attention" : ""}`}>{t(`run.${run.state}`)}</span>
      </header>
      {where && <p class="run-where"><span class="dim">{t("run.source")}</span> {where}</p>}
      <p class="dim small">{t("run.at", { time: clockMoment(run.finished_at ?? run.created_at, now.value, timezone.value) })}</p>
      {busy && <p class="progress" role="status"><progress aria-label={t(`run.${run.state}`)} />{t(`run.${run.state}`)} <span class="num">{duration(waited)}</span></p>}
      {run.state === "failed" && <p class="failure" role="alert">{failureText(run)}</p>}
      {run.result && <Found run={run} result={run.result} />}
    </article>
  );
}
