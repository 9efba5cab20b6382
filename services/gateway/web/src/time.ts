/** Time as the page sees it: the server's clock, and the park's local time on the screen. */

let serverAheadMs = 0;

/** Learn the server's clock from an answer's `Date`, so that a wrong clock on a wall display hides no silence. */
export function learnServerTime(date: string | null, tripMs: number): void {
  const stamp = date === null ? NaN : Date.parse(date);
  if (Number.isNaN(stamp)) return;
  // `Date` is cut to whole seconds: on average the server is half a second ahead of what it says.
  const ahead = stamp + 500 + tripMs / 2 - Date.now();
  if (Math.abs(ahead - serverAheadMs) > 1500) serverAheadMs = ahead;
}

/** Milliseconds since 1970 by the server's clock. */
export function serverNow(): number {
  return Date.now() + serverAheadMs;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(timezone: string, parts: "time" | "day"): Intl.DateTimeFormat {
  const key = `${timezone}|${parts}`;
  let found = formatters.get(key);
  if (!found) {
    const options: Intl.DateTimeFormatOptions =
      parts === "time"
        ? { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }
        : { year: "numeric", month: "2-digit", day: "2-digit" };
    found = new Intl.DateTimeFormat("sv-SE", { ...options, timeZone: timezone });
    formatters.set(key, found);
  }
  return found;
}

/** `14:03:27` in the park's time. */
export function clockTime(at: string | number | Date, timezone: string): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? "–" : formatter(timezone, "time").format(date);
}

/** `2026-11-23` in the park's time. */
export function clockDay(at: string | number | Date, timezone: string): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? "–" : formatter(timezone, "day").format(date);
}

/** `14:03:27`, with the day before it when that is not the day of `now`. */
export function clockMoment(at: string, now: number, timezone: string): string {
  const day = clockDay(at, timezone);
  const time = clockTime(at, timezone);
  return day === clockDay(now, timezone) ? time : `${day.slice(5)} ${time}`;
}
