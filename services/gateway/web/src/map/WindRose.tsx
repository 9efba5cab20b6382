/** The wind of the park: where it comes from, how hard it blows, how much it wavers. */

import { meanWind } from "../derive";
import { compassPoint, t } from "../i18n";
import { meteorology } from "../state";
import { reportedWinds } from "./windArrows";

const RADIUS = 44;

function onCircle(degrees: number, radius: number): string {
  const angle = (degrees * Math.PI) / 180;
  return `${(radius * Math.sin(angle)).toFixed(2)} ${(-radius * Math.cos(angle)).toFixed(2)}`;
}

/** The sector that the direction has wavered in, one standard deviation to either side. */
function sector(from: number, sigma: number): string {
  const half = Math.min(sigma, 179);
  const large = half > 90 ? 1 : 0;
  return `M0 0L${onCircle(from - half, RADIUS)}A${RADIUS} ${RADIUS} 0 ${large} 1 ${onCircle(from + half, RADIUS)}Z`;
}

function Ticks() {
  const marks = Array.from({ length: 36 }, (_, n) => n * 10);
  return (
    <g class="rose-ticks">
      {marks.map((degrees) => (
        <path key={degrees} d={`M${onCircle(degrees, RADIUS)}L${onCircle(degrees, degrees % 90 ? RADIUS - 3 : RADIUS - 7)}`} />
      ))}
    </g>
  );
}

export function WindRose() {
  const wind = meanWind(reportedWinds.value.map((spot) => spot.wind));
  const mean = meteorology.value;
  const from = wind && t("wind.from", { point: compassPoint(wind.from), degrees: String(Math.round(wind.from) % 360).padStart(3, "0") });
  const sigma = mean?.sigma_theta_deg;
  return (
    <div class={`wind-rose ${wind ? "" : "missing"}`} role="img" aria-label={wind ? `${t("wind")} ${from}, ${wind.speed.toFixed(1)} m/s` : t("wind.none")}>
      <svg viewBox="-60 -60 120 120" width="116" height="116" aria-hidden="true">
        <circle class="rose-face" r={RADIUS} />
        {wind && mean && sigma ? <path class="rose-sector" d={sector(mean.wind_from_deg, sigma)} /> : null}
        <Ticks />
        {(["N", "E", "S", "W"] as const).map((_, n) => {
          const degrees = n * 90;
          const [x, y] = onCircle(degrees, RADIUS + 9).split(" ");
          return <text key={degrees} x={x} y={y} text-anchor="middle" dominant-baseline="central">{compassPoint(degrees)}</text>;
        })}
        {wind ? (
          <g class="rose-arrow" transform={`rotate(${wind.from + 180})`}>
            <path d="M0 34V-20" />
            <path class="rose-head" d="M0 -36L-9 -16L0 -21L9 -16Z" />
          </g>
        ) : (
          <path class="rose-missing" d="M-14 0H14" />
        )}
      </svg>
      <div class="wind-words">
        {wind ? (
          <>
            <strong>{wind.speed.toFixed(1)}<small> m/s</small></strong>
            <span>{from}</span>
            {mean && sigma ? <span class="dim" title={t("wind.mean", { minutes: Math.round(mean.window_s / 60), speed: mean.wind_speed_m_s.toFixed(1), sigma: Math.round(sigma) })}>±{Math.round(sigma)}° / {Math.round(mean.window_s / 60)} min</span> : null}
          </>
        ) : (
          <strong class="wind-none">{t("wind.none")}</strong>
        )}
      </div>
    </div>
  );
}
