/** Who is reached, when, and how many they are: the soonest first. */

import type { ReachedReceptor } from "../contract";
import { duration, number } from "../format";
import { named, t } from "../i18n";
import { placeName } from "../names";

function soonestFirst(a: ReachedReceptor, b: ReachedReceptor): number {
  return (a.arrival_s ?? Infinity) - (b.arrival_s ?? Infinity) || b.peak_mg_m3 - a.peak_mg_m3;
}

function Arrival({ seconds, nowS }: { seconds: number | null; nowS: number }) {
  if (seconds === null) return <>–</>;
  return seconds <= nowS ? <strong>{t("run.arrived")}</strong> : <>{t("run.in", { time: duration(seconds - nowS) })}</>;
}

/** `nowS`: seconds since the release began. */
export function ReceptorTable({ receptors, nowS }: { receptors: ReachedReceptor[]; nowS: number }) {
  const reached = receptors.filter((one) => one.arrival_s !== null || one.inside.length > 0).sort(soonestFirst);
  const people = reached.reduce((sum, one) => sum + one.population, 0);
  return (
    <section>
      <h3>{t("run.receptors")}{people > 0 && <span class="people">{t("run.people", { count: people.toLocaleString("en") })}</span>}</h3>
      {reached.length === 0 ? (
        <p class="dim">{t("run.receptors-none")}</p>
      ) : (
        <table class="reached">
          <thead><tr><th /><th class="num">{t("run.peak")} mg/m³</th><th class="num">{t("run.arrival")}</th></tr></thead>
          <tbody>
            {reached.map((one) => {
              const worst = one.inside.includes("endpoint-1") ? "red" : one.inside.includes("endpoint-2") ? "orange" : "none";
              return (
                <tr key={one.id}>
                  <th scope="row"><span class={`dot dot-${worst}`} aria-hidden="true" />{placeName(one.name)}<small class="dim">{named("kind", one.kind)} · {t("people", { count: one.population })}</small></th>
                  <td class="num">{number(one.peak_mg_m3)}</td>
                  <td class="num"><Arrival seconds={one.arrival_s} nowS={nowS} /></td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </section>
  );
}
