/** The park's name, the clock, how far the screen can be believed, and the switches. */

import { t } from "../i18n";
import { placeName } from "../names";
import { now, park, parkId, parks, session, timezone, trust } from "../state";
import { setSound, soundOn } from "../sound";
import { signOut } from "../sync";
import { clockDay, clockTime } from "../time";
import { LanguageSwitch } from "./LanguageSwitch";
import { Mark } from "./Mark";

function ParkName() {
  if (parks.value.length < 2) return <h1>{placeName(park.value?.name)}</h1>;
  return (
    <h1>
      <select aria-label={t("park")} value={parkId.value ?? ""} onChange={(event) => (parkId.value = event.currentTarget.value)}>
        {parks.value.map((one) => <option key={one.id} value={one.id}>{one.name ? placeName(one.name) : one.id}</option>)}
      </select>
    </h1>
  );
}

function SoundSwitch() {
  const on = soundOn.value;
  const label = t(on ? "sound.on" : "sound.off");
  return (
    <button type="button" class="quiet-button sound" aria-pressed={on} aria-label={label} title={label} onClick={() => setSound(!on)}>
      <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
        <path d="M3 7.5H6L10.5 4V16L6 12.5H3Z" fill="currentColor" />
        <path d={on ? "M13 7Q15 10 13 13M15 4.5Q19 10 15 15.5" : "M13.5 7.5L18 12.5M18 7.5L13.5 12.5"} fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" />
      </svg>
    </button>
  );
}

export function Header() {
  const who = session.value;
  const name = typeof who === "object" ? who.key_name : "";
  return (
    <header class="header">
      <Mark size={30} />
      <div class="park-name">
        <ParkName />
        {park.value?.fictitious && <span class="fictitious" title={t("fictitious.long")}>虚构 FICTITIOUS</span>}
      </div>
      <span class={`trust trust-mark-${trust.value}`} role="status">
        <i aria-hidden="true" />{t(`trust.${trust.value}`)}
      </span>
      <time class="clock" title={`${t("park-time")} · ${timezone.value}`}>
        <span class="dim">{clockDay(now.value, timezone.value)}</span>
        <strong>{clockTime(now.value, timezone.value)}</strong>
      </time>
      <div class="switches">
        <SoundSwitch />
        <LanguageSwitch />
        <button type="button" class="quiet-button sign-out" title={t("signed-in-as", { name })} onClick={() => void signOut()}>{t("sign-out")}</button>
      </div>
    </header>
  );
}
