/** Which moment of the shown run the map shows, and the playing of all of them. */

import { computed, effect, signal } from "@preact/signals";
import type { Frame } from "../contract";
import { shownRun } from "../selection";

const STEP_MS = 600;

/** The index into `frames`; null shows the maximum over time. */
export const frameIndex = signal<number | null>(null);
export const playing = signal(false);
export const frames = computed<Frame[]>(() => shownRun.value?.result?.frames ?? []);
export const frame = computed<Frame | null>(() =>
  frameIndex.value === null ? null : (frames.value[frameIndex.value] ?? null),
);

export function showFrame(index: number | null): void {
  playing.value = false;
  frameIndex.value = index;
}

export function togglePlay(): void {
  if (!playing.value && frameIndex.value === null) frameIndex.value = 0;
  playing.value = !playing.value;
}

/** Start the clockwork; called once. */
export function startFrames(): void {
  const shownId = computed(() => shownRun.value?.id);
  effect(() => {
    void shownId.value;
    playing.value = false;
    frameIndex.value = null;
  });
  effect(() => {
    if (!playing.value) return undefined;
    const timer = setInterval(() => {
      frameIndex.value = ((frameIndex.value ?? -1) + 1) % Math.max(1, frames.value.length);
    }, STEP_MS);
    return () => clearInterval(timer);
  });
}
