/** How many stations are in which state: what is missing is counted, never hidden. */

import { statuses } from "../state";
import { t, type Word } from "../i18n";

export function StationTally() {
  const all = [...statuses.value.values()];
  const count = (data: string): number => all.filter((status) => status.data === data).length;
  const missing = count("silent") + count("unknown");
  const cell = (word: Word, n: number, className: string) => (
    <div class={n ? className : ""}>
      <dd class="num">{n}</dd>
      <dt>{t(word)}</dt>
    </div>
  );
  return (
    <dl class="tally">
      {cell("stations", all.length, "")}
      {cell("data.ok", count("ok"), "")}
      {cell("data.partial", count("partial"), "tally-attention")}
      {cell("data.silent", missing, "tally-attention")}
    </dl>
  );
}
