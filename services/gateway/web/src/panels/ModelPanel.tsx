/** Runs of the model: the one shown on the map, the form for a new one, and those before. */

import { useState } from "preact/hooks";
import { t } from "../i18n";
import { pinnedRunId, shownRun, showRun, followedRun } from "../selection";
import { runs, timezone, now } from "../state";
import { chemicalName } from "../names";
import { clockMoment } from "../time";
import { source, picking } from "../draft";
import { RunCard } from "./RunCard";
import { RunForm } from "./RunForm";

function Following() {
  const run = shownRun.value;
  if (!run) return null;
  const pinned = pinnedRunId.value !== null;
  return (
    <p class="following">
      <span class="dim">{t(pinned ? "model.pinned" : "model.following")}</span>
      {pinned && followedRun.value && followedRun.value.id !== run.id && (
        <button type="button" class="link-button" onClick={() => showRun(null)}>{t("model.follow")}</button>
      )}
      {pinned && !followedRun.value && (
        <button type="button" class="link-button" onClick={() => showRun(null)}>{t("model.clear")}</button>
      )}
    </p>
  );
}

function Recent() {
  if (runs.value.length === 0) return null;
  return (
    <details class="recent">
      <summary>{t("model.recent")} <span class="count">{runs.value.length}</span></summary>
      <ul>
        {runs.value.map((run) => (
          <li key={run.id}>
            <button type="button" aria-pressed={shownRun.value?.id === run.id} onClick={() => showRun(run.id)}>
              <span class="num">{clockMoment(run.created_at, now.value, timezone.value)}</span>
              <span>{chemicalName(run.chemical)}</span>
              <span class="dim">{t(`run.trigger.${run.trigger}`)} · {t(`run.${run.state}`)}</span>
            </button>
          </li>
        ))}
      </ul>
    </details>
  );
}

export function ModelPanel() {
  const [wanted, setWanted] = useState(false);
  const formOpen = wanted || shownRun.value === null || picking.value || source.value.kind !== "none";
  return (
    <>
      <section class="new-run">
        {formOpen ? (
          <RunForm close={() => setWanted(false)} />
        ) : (
          <button type="button" class="wide-button" onClick={() => setWanted(true)}>{t("model.new")}</button>
        )}
      </section>
      <Following />
      {shownRun.value ? <RunCard run={shownRun.value} /> : <p class="dim empty">{t("model.none")}</p>}
      <Recent />
    </>
  );
}
