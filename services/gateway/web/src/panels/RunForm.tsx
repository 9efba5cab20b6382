/** The form for a run by hand: place, chemical, rate, times. */

import { useState } from "preact/hooks";
import { api, ApiError } from "../api";
import * as draft from "../draft";
import { place } from "../format";
import { said, t } from "../i18n";
import { chemicalName, placeName } from "../names";
import { showRun } from "../selection";
import { chemicals, parkId, riskSources } from "../state";
import { refreshRuns } from "../sync";

const SUSPICION = "?";
const POINT = "@";

function SourceField() {
  const chosen = draft.source.value;
  const value = { none: "", suspicion: SUSPICION, point: POINT, "risk-source": chosen.kind === "risk-source" ? chosen.id : "" }[chosen.kind];
  const choose = (next: string): void => {
    if (next === "") draft.source.value = { kind: "none" };
    else if (next === SUSPICION) draft.pickSuspicion();
    else if (next !== POINT) draft.pickRiskSource(next);
  };
  return (
    <div class="field">
      <label for="run-source">{t("form.source")}</label>
      <div class="field-row">
        <select id="run-source" value={value} onChange={(event) => choose(event.currentTarget.value)}>
          <option value="">{t("form.choose")}</option>
          {chosen.kind === "point" && <option value={POINT}>{t("form.point", { place: place(chosen.longitude, chosen.latitude) })}</option>}
          <option value={SUSPICION}>{t("form.suspicion")}</option>
          <optgroup label={t("form.risk-sources")}>
            {riskSources.value.map((one) => <option key={one.id} value={one.id}>{placeName(one.name)} · {chemicalName(one.chemical)}</option>)}
          </optgroup>
        </select>
        <button type="button" class="pick-button" aria-pressed={draft.picking.value} onClick={draft.togglePicking}>
          {t(draft.picking.value ? "form.cancel-pick" : "form.pick")}
        </button>
      </div>
    </div>
  );
}

function ChemicalField() {
  return (
    <div class="field">
      <label for="run-chemical">{t("form.chemical")}</label>
      <select id="run-chemical" value={draft.chemical.value} onChange={(event) => (draft.chemical.value = event.currentTarget.value)}>
        <option value="">{t("form.choose")}</option>
        {[...chemicals.value]
          .sort((a, b) => said(a.name).localeCompare(said(b.name)))
          .map((one) => <option key={one.cas} value={one.cas}>{said(one.name)} · {one.cas}</option>)}
      </select>
    </div>
  );
}

type Typed = "rate" | "durationMinutes" | "followMinutes" | "heightMetres";

function NumberField({ of, label, placeholder, title }: { of: Typed; label: string; placeholder?: string; title?: string }) {
  return (
    <label class="field" title={title}>
      <span>{label}</span>
      <input type="text" inputMode="decimal" name={of} value={draft[of].value} placeholder={placeholder ?? ""} onInput={(event) => (draft[of].value = event.currentTarget.value)} />
    </label>
  );
}

export function RunForm({ close }: { close: () => void }) {
  const [failure, setFailure] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const ready = draft.request.value;
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!ready) return;
    setBusy(true);
    setFailure(null);
    try {
      const run = await api.startRun(parkId.value!, ready);
      draft.source.value = { kind: "none" };
      close();
      showRun(run.id);
      refreshRuns();
    } catch (error) {
      setFailure(t("form.failed", { detail: error instanceof ApiError ? error.message : String(error) }));
    }
    setBusy(false);
  };
  return (
    <form class="run-form" onSubmit={submit}>
      <h2>{t("model.new")}</h2>
      <SourceField />
      <ChemicalField />
      <div class="field-grid">
        <NumberField of="rate" label={t("form.rate")} placeholder={t("form.rate-short")} title={t("form.rate-blank")} />
        <NumberField of="durationMinutes" label={t("form.duration")} />
        <NumberField of="followMinutes" label={t("form.follow")} />
        {draft.source.value.kind === "point" && <NumberField of="heightMetres" label={t("form.height")} />}
      </div>
      <p class="dim small">{t("form.rate-blank")}</p>
      {failure && <p class="failure" role="alert">{failure}</p>}
      {!ready && draft.source.value.kind !== "none" && <p class="dim small">{t("form.incomplete")}</p>}
      <button type="submit" class="main-button" disabled={!ready || busy}>{t(busy ? "form.sending" : "form.run")}</button>
    </form>
  );
}
