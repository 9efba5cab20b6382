/** Something that a person asks the server to do: once at a time, and what went wrong stays on the screen. */

import { useState } from "preact/hooks";
import { inWords } from "../problems";
import { refreshAlarms } from "../sync";

export interface Task {
  busy: boolean;
  /** Why it was not done, in the language of the page. */
  failure: string | null;
  /** Do it, then fetch how things are now; whether it was done. */
  run: (work: () => Promise<unknown>) => Promise<boolean>;
}

export function useTask(): Task {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<{ what: unknown } | null>(null);
  const run = async (work: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true);
    setError(null);
    let done = true;
    try {
      await work();
    } catch (what) {
      setError({ what });
      done = false;
    }
    setBusy(false);
    refreshAlarms();
    return done;
  };
  return { busy, failure: error && inWords(error.what), run };
}
