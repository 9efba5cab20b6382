/** A flood of alarms: how many of which colour, and that they are grouped below and none is hidden. */

import type { Colour } from "../contract";
import { grade } from "../derive";
import { t } from "../i18n";
import { showIncident } from "../selection";
import { flood, incidents, now, timezone } from "../state";
import { clockMoment } from "../time";

const COLOURS: Colour[] = ["red", "orange", "yellow", "blue"];

export function FloodNotice() {
  const state = flood.value;
  if (!state?.in_flood) return null;
  const count = (colour: Colour): number => state.alarms[colour] ?? 0;
  const all = COLOURS.reduce((sum, colour) => sum + count(colour), 0);
  const said = { count: all, minutes: Math.round(state.window_s / 60), limit: state.begins_above, incidents: incidents.value.length };
  return (
    <div class="notice notice-flood">
      {/* The title alone is announced: the numbers change with every alarm. */}
      <strong role="alert">{t("flood.title")}</strong>
      <span class="flood-counts">
        {COLOURS.filter((colour) => count(colour) > 0).map((colour) => (
          <span key={colour} class="flood-count num" aria-label={t("flood.count", { colour: t(`colour.${colour}`), count: count(colour) })}>
            <span class={`grade grade-${colour}`} aria-hidden="true">{grade(colour)}</span>{count(colour)}
          </span>
        ))}
      </span>
      <span class="flood-text">{t("flood.text", said)}</span>
      {state.began_at && <span class="dim num">{t("flood.since", { time: clockMoment(state.began_at, now.value, timezone.value) })}</span>}
      <button type="button" class="quiet-button" onClick={() => showIncident(null)}>{t("flood.show")}</button>
    </div>
  );
}
