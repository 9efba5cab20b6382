/** The form that exchanges an API key for a session of this browser. */

import { useState } from "preact/hooks";
import { api, ApiError } from "../api";
import { t } from "../i18n";
import { loadSession } from "../sync";
import { LanguageSwitch } from "./LanguageSwitch";
import { Mark } from "./Mark";

export function SignIn() {
  const [key, setKey] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setFailure(null);
    try {
      await api.signIn(key.trim());
      await loadSession();
    } catch (error) {
      const wrong = error instanceof ApiError && (error.status === 401 || error.status === 422);
      setFailure(wrong ? t("signin.wrong") : t("signin.unreachable", { detail: String((error as Error).message) }));
      setBusy(false);
    }
  };

  return (
    <main class="sign-in">
      <form onSubmit={submit} aria-labelledby="sign-in-title">
        <header>
          <Mark size={40} />
          <LanguageSwitch />
        </header>
        <h1 id="sign-in-title">{t("product")}</h1>
        <label for="api-key">{t("signin.key")}</label>
        <input
          id="api-key"
          type="password"
          autocomplete="current-password"
          spellcheck={false}
          required
          autofocus
          placeholder="fl_…"
          aria-describedby="key-hint"
          value={key}
          onInput={(event) => setKey(event.currentTarget.value)}
        />
        <p id="key-hint" class="dim">{t("signin.hint")}</p>
        {failure && <p class="failure" role="alert">{failure}</p>}
        <button type="submit" class="main-button" disabled={busy || key.trim() === ""}>{t("signin.go")}</button>
      </form>
    </main>
  );
}
