/** A chart of one datastream over the last minutes, with its thresholds. Bad and missing readings are gaps. */

import uPlot from "uplot";
import { effect } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "../api";
import type { Datastream, RuleLevel } from "../contract";
import { number } from "../format";
import { said, t } from "../i18n";
import { parkId, parkNow, readings, timezone } from "../state";
import { clockTime } from "../time";

type Points = [number[], (number | null)[]];

const HEIGHT = 190;
/** Sound quality flags of HJ 212: normal, and over range, which is news and not bad data. */
const SOUND = new Set(["N", "T"]);
/** A pause longer than this breaks the line [s], by cadence. */
const LONGEST_STEP_S = { realtime: 90, minute: 180, hour: 10_800, day: 259_200 };

function colourOf(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Put a hole wherever the readings pause. */
function withGaps([times, values]: Points, longest: number): Points {
  const out: Points = [[], []];
  times.forEach((time, n) => {
    const before = times[n - 1];
    if (before !== undefined && time - before > longest) {
      out[0].push(before + 1);
      out[1].push(null);
    }
    out[0].push(time);
    out[1].push(values[n] ?? null);
  });
  return out;
}

async function fetchPoints(stream: Datastream, minutes: number): Promise<Points> {
  const end = new Date(parkNow.peek() + 1000);
  const start = new Date(end.getTime() - minutes * 60_000);
  const pages = await api.observations(parkId.peek()!, [stream.id], start, end);
  return [
    pages.flatMap((page) => page.time.map((time) => Date.parse(time) / 1000)),
    pages.flatMap((page) => page.value.map((value, n) => (SOUND.has(page.quality[n] ?? "") ? value : null))),
  ];
}

function options(width: number, levels: RuleLevel[], zone: string): uPlot.Options {
  const ink = colourOf("--ink-dim");
  const line = colourOf("--line");
  const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, points: { size: 6 } },
    scales: { x: { time: true }, y: { range: (_plot, _low, high) => yRange(high, levels) } },
    axes: [
      { ...axis, size: 28, values: (_plot, ticks) => ticks.map((tick) => clockTime(tick * 1000, zone).slice(0, 5)) },
      { ...axis, size: 48, values: (_plot, ticks) => ticks.map((tick) => number(tick)) },
    ],
    series: [{}, { stroke: colourOf("--trace"), width: 1.6, points: { show: false }, spanGaps: false }],
    hooks: { draw: [(plot) => drawLevels(plot, levels)] },
  };
}

/** From zero to above the data, and to the first threshold at least, so that calm looks calm. */
function yRange(high: number | null, levels: RuleLevel[]): [number, number] {
  const first = levels[0]?.threshold ?? 0;
  return [0, Math.max((high ?? 0) * 1.12, first * 1.25, 1e-6)];
}

function drawLevels(plot: uPlot, levels: RuleLevel[]): void {
  const { ctx } = plot;
  const { left, top, width } = plot.bbox;
  for (const level of levels) {
    const y = plot.valToPos(level.threshold, "y", true);
    if (y < top) continue;
    ctx.save();
    ctx.strokeStyle = colourOf(`--${level.colour}`);
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(left, y);
    ctx.lineTo(left + width, y);
    ctx.stroke();
    ctx.restore();
  }
}

export function Chart({ stream, minutes, levels }: { stream: Datastream; minutes: number; levels: RuleLevel[] }) {
  const box = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<"loading" | "shown" | "empty" | { failure: string }>("loading");
  const levelsKey = JSON.stringify(levels);

  useEffect(() => {
    let plot: uPlot | null = null;
    let stopLive: (() => void) | null = null;
    let wanted = true;
    const host = box.current!;
    const show = (points: Points): void => {
      let [times, values] = points;
      const draw = (): void => {
        const since = times.findIndex((time) => time >= parkNow.peek() / 1000 - minutes * 60);
        if (since > 0) [times, values] = [times.slice(since), values.slice(since)];
        plot?.setData(withGaps([times, values], LONGEST_STEP_S[stream.cadence]));
        setState(times.length ? "shown" : "empty");
      };
      plot = new uPlot(options(host.clientWidth, levels, timezone.peek()), [[], []], host);
      draw();
      stopLive = effect(() => {
        const reading = readings.value.get(stream.id);
        const time = reading ? Date.parse(reading.time) / 1000 : 0;
        if (!reading || time <= (times.at(-1) ?? 0)) return;
        times = [...times, time];
        values = [...values, SOUND.has(reading.quality) ? reading.value : null];
        draw();
      });
    };
    fetchPoints(stream, minutes).then(
      (points) => wanted && show(points),
      (error: unknown) => wanted && setState({ failure: String((error as Error).message) }),
    );
    const observer = new ResizeObserver(() => plot?.setSize({ width: host.clientWidth, height: HEIGHT }));
    observer.observe(host);
    return () => {
      wanted = false;
      stopLive?.();
      observer.disconnect();
      plot?.destroy();
    };
  }, [stream.id, minutes, levelsKey]);

  return (
    <div class="chart" role="img" aria-label={t("chart.label", { name: said(stream.property_name), count: minutes })}>
      <div ref={box} />
      {state === "loading" && <p class="dim chart-note">{t("loading")}</p>}
      {state === "empty" && <p class="chart-note">{t("chart.empty")}</p>}
      {typeof state === "object" && <p class="failure chart-note">{state.failure}</p>}
    </div>
  );
}
