/** A small form. One that a button opens (it has `close`) takes the focus and gives it back; Escape closes it. */

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { span, t } from "../i18n";
import type { Task } from "./task";

interface DeskFormProps {
  label: string;
  go: string;
  ready: boolean;
  task: Task;
  send: () => void;
  close?: () => void;
  children: ComponentChildren;
}

export function DeskForm({ label, go, ready, task, send, close, children }: DeskFormProps) {
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (!close) return undefined;
    const opener = document.activeElement;
    form.current?.querySelector<HTMLElement>("select, input")?.focus();
    return () => {
      const lost = document.activeElement === document.body || form.current?.contains(document.activeElement);
      if (lost && opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (ready && !task.busy) send();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Escape") close?.();
  };
  return (
    <form ref={form} class="desk-form" aria-label={label} onSubmit={submit} onKeyDown={onKeyDown}>
      {children}
      <p class="desk-form-foot">
        {close && <button type="button" class="quiet-button" onClick={close}>{t("act.cancel")}</button>}
        <button type="submit" class="main-button" disabled={!ready || task.busy}>{task.busy ? t("act.sending") : go}</button>
      </p>
    </form>
  );
}

/** Why: what has to be said with it. */
export function ReasonField({ value, set }: { value: string; set: (value: string) => void }) {
  return (
    <label class="field">
      <span>{t("reason")}</span>
      <input type="text" name="reason" maxLength={1000} required value={value} onInput={(event) => set(event.currentTarget.value)} />
    </label>
  );
}

/** For how long [s]; `openEnded` adds a choice without an end: null. */
export function TimeField({ label, choices, value, set, openEnded }: TimeFieldProps) {
  const choose = (event: JSX.TargetedEvent<HTMLSelectElement>): void => set(event.currentTarget.value === "" ? null : Number(event.currentTarget.value));
  return (
    <label class="field">
      <span>{label}</span>
      <select name="time" value={value === null ? "" : String(value)} onChange={choose}>
        {openEnded && <option value="">{openEnded}</option>}
        {choices.map((seconds) => <option key={seconds} value={String(seconds)}>{span(seconds)}</option>)}
      </select>
    </label>
  );
}

interface TimeFieldProps {
  label: string;
  choices: readonly number[];
  value: number | null;
  set: (value: number | null) => void;
  openEnded?: string;
}
