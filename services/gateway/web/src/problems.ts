/** What went wrong, in the words of the page: a problem of the API says in codes what the page can say in both languages. */

import { ApiError } from "./api";
import { named, span, t } from "./i18n";

/** Why something was not done. */
export function inWords(error: unknown): string {
  if (!(error instanceof ApiError)) return t("problem.unreachable");
  const { status, problem } = error;
  if (status === 409) {
    if (problem.allowed && problem.state) {
      const can = problem.allowed.map((action) => named("can", action)).join(t("comma"));
      return t("problem.state", { state: named("state", problem.state), allowed: can || t("problem.nothing") });
    }
    if (problem.active) return t("problem.standing", { count: problem.active });
    if (problem.state === "closed") return t("problem.closed");
    return t("problem.conflict", { detail: error.message });
  }
  if (status === 422 && problem.most_s) return t("problem.most", { time: span(problem.most_s) });
  if (status === 403) return t("problem.forbidden");
  if (status === 404) return t("problem.gone");
  if (status === 429 || status >= 500) return t("problem.busy");
  return t("problem.other", { detail: error.message });
}
