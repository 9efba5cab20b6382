/** The optional alarm tone: off unless the person turns it on; repeats while an active alarm waits for an answer. */

import { computed, effect, signal } from "@preact/signals";
import { needsAcknowledgement, rank } from "./derive";
import { alarms } from "./state";

const REPEAT_MS = 6_000;
const PITCH_HZ = [0, 440, 523, 659, 880];

export const soundOn = signal(false);
let context: AudioContext | null = null;

function tone(frequency: number, at: number): void {
  if (!context) return;
  const oscillator = context.createOscillator();
  const gain = context.createGain();
  oscillator.frequency.value = frequency;
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(0.18, at + 0.03);
  gain.gain.linearRampToValueAtTime(0, at + 0.28);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(at);
  oscillator.stop(at + 0.3);
}

/** Two tones, higher for a worse colour. */
function ring(worst: number): void {
  const pitch = PITCH_HZ[worst] ?? 440;
  const start = context?.currentTime ?? 0;
  tone(pitch, start);
  tone(pitch * 1.25, start + 0.32);
}

export function setSound(on: boolean): void {
  // A browser lets sound begin only inside a person's own action: this is one.
  context ??= new AudioContext();
  void context.resume();
  soundOn.value = on;
}

/** Start watching the alarms; called once. */
export function startSound(): void {
  const waiting = computed(() => alarms.value.filter((one) => one.active && needsAcknowledgement(one)));
  const worst = computed(() => Math.max(0, ...waiting.value.map((one) => rank(one.colour))));
  effect(() => {
    const level = worst.value;
    if (!soundOn.value || level === 0) return undefined;
    ring(level);
    const timer = setInterval(() => ring(level), REPEAT_MS);
    return () => clearInterval(timer);
  });
}
