/** The time slider over the frames of the shown run. */

import { duration } from "../format";
import { t } from "../i18n";
import { shownRun } from "../selection";
import { timezone } from "../state";
import { clockTime } from "../time";
import { frame, frameIndex, frames, playing, showFrame, togglePlay } from "./frames";

export function Player() {
  const all = frames.value;
  const times = shownRun.value?.result?.times;
  if (all.length < 2 || !times) return null;
  const shown = frame.value;
  const start = Date.parse(times.release_start);
  const label = shown ? t("frames.at", { time: duration(shown.time_s) }) : t("frames.maximum");
  const nowShare = all.filter((one) => one.time_s < times.now_s).length / (all.length - 1);
  return (
    <div class="player">
      <button type="button" class="icon-button" aria-label={t(playing.value ? "frames.pause" : "frames.play")} onClick={togglePlay}>
        <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
          <path d={playing.value ? "M4 2H7V14H4ZM9 2H12V14H9Z" : "M4 2L13 8L4 14Z"} fill="currentColor" />
        </svg>
      </button>
      <div class="player-track">
        <span class="player-now" style={{ left: `calc(8px + (100% - 16px) * ${Math.min(1, nowShare)})` }} aria-hidden="true" />
        <input
          type="range"
          min={0}
          max={all.length - 1}
          value={frameIndex.value ?? all.length - 1}
          class={shown ? "" : "idle"}
          aria-label={t("frames.slider")}
          aria-valuetext={label}
          onInput={(event) => showFrame(Number(event.currentTarget.value))}
        />
      </div>
      <output class="player-time">
        <strong>{shown ? clockTime(start + shown.time_s * 1000, timezone.value) : label}</strong>
        {shown && <span class="dim">{label}</span>}
      </output>
      {shown && <button type="button" class="quiet-button" onClick={() => showFrame(null)}>{t("frames.maximum")}</button>}
    </div>
  );
}
