/** Every word of the page, in Chinese and English. A key that lacks a language does not compile. */

import { signal } from "@preact/signals";
import type { Bilingual } from "./contract";
import { alarmWords } from "./alarmWords";
import { words as pageWords } from "./words";

const words = { ...pageWords, ...alarmWords };

export type Language = "zh" | "en";
export type Word = keyof typeof words;

const STORED = "fenceline.language";

function firstLanguage(): Language {
  const stored = localStorage.getItem(STORED);
  if (stored === "zh" || stored === "en") return stored;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

export const language = signal<Language>(firstLanguage());

/** Switch and remember. */
export function setLanguage(next: Language): void {
  localStorage.setItem(STORED, next);
  language.value = next;
}

/** The word in the language of the page; `{name}` is filled from `values`. */
export function t(word: Word, values: Record<string, string | number> = {}): string {
  return words[word][language.value].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** Whether there is a word for a code that came from the API. */
export function isWord(key: string): key is Word {
  return Object.hasOwn(words, key);
}

/** The word under `prefix.code`, or the code itself where the page knows none. */
export function named(prefix: string, code: string): string {
  const key = `${prefix}.${code}`;
  return isWord(key) ? t(key) : code;
}

/** Text of the API in the language of the page. */
export function said(text: Bilingual | null | undefined): string {
  return text?.[language.value] ?? text?.en ?? text?.zh ?? "";
}

/** `45 min`, `8 h`, `7 d`. */
export function span(seconds: number): string {
  const [word, size]: [Word, number] =
    seconds % 86_400 === 0 ? ["days", 86_400] : seconds % 3600 === 0 ? ["hours", 3600] : ["minutes", 60];
  return t(word, { count: Math.round((10 * seconds) / size) / 10 });
}

const COMPASS: Record<Language, string[]> = {
  zh: ["北", "东北偏北", "东北", "东北偏东", "东", "东南偏东", "东南", "东南偏南", "南", "西南偏南", "西南", "西南偏西", "西", "西北偏西", "西北", "西北偏北"],
  en: ["N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW"],
};

/** The name of a direction in degrees, one of sixteen. */
export function compassPoint(degrees: number): string {
  return COMPASS[language.value][Math.round((((degrees % 360) + 360) % 360) / 22.5) % 16] ?? "";
}
