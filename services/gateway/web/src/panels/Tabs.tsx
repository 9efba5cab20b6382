/** Tabs over one panel; arrow keys go from one to the next. */

import type { Signal } from "@preact/signals";
import { t, type Word } from "../i18n";

export interface TabItem<Name extends string> {
  name: Name;
  word: Word;
  count?: number;
}

interface TabsProps<Name extends string> {
  items: TabItem<Name>[];
  chosen: Signal<Name>;
  controls: string;
}

export function Tabs<Name extends string>({ items, chosen, controls }: TabsProps<Name>) {
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const at = items.findIndex((item) => item.name === chosen.value);
    const next = items[(at + step + items.length) % items.length]!;
    chosen.value = next.name;
    document.getElementById(`tab-${next.name}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" onKeyDown={onKeyDown}>
      {items.map(({ name, word, count }) => (
        <button key={name} type="button" role="tab" id={`tab-${name}`} aria-selected={chosen.value === name} aria-controls={controls} onClick={() => (chosen.value = name)}>
          {t(word)}{count !== undefined && count > 0 && <span class="count"> {count}</span>}
        </button>
      ))}
    </div>
  );
}
