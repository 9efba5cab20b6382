/** The page: the sign-in form, or the control room. */

import { failures, parkId, session, trust } from "./state";
import { t, type Word } from "./i18n";
import { MapView } from "./map/MapView";
import { AlarmPanel } from "./panels/AlarmPanel";
import { Banner } from "./panels/Banner";
import { Header } from "./panels/Header";
import { ModelPanel } from "./panels/ModelPanel";
import { SignIn } from "./panels/SignIn";
import { StationPanel } from "./panels/StationPanel";
import { Tabs } from "./panels/Tabs";
import { panel, view, type View } from "./selection";
import { sortedAlarms } from "./state";

function Details() {
  return (
    <aside class="panel details" aria-labelledby={`tab-${panel.value}`}>
      <Tabs items={[{ name: "station", word: "stations" }, { name: "model", word: "model" }]} chosen={panel} controls="details" />
      <div class="panel-body" id="details" role="tabpanel">{panel.value === "station" ? <StationPanel /> : <ModelPanel />}</div>
    </aside>
  );
}

/** On a narrow screen one part is shown at a time. */
function ViewSwitch() {
  const item = (name: View, word: Word, count = 0) => (
    <button type="button" aria-pressed={view.value === name} onClick={() => (view.value = name)}>
      {t(word)}{count > 0 && <span class="count">{count}</span>}
    </button>
  );
  return (
    <nav class="view-switch">
      {item("map", "view.map")}
      {item("alarms", "view.alarms", sortedAlarms.value.length)}
      {item("details", "view.details")}
    </nav>
  );
}

function ControlRoom() {
  return (
    <div class={`room trust-${trust.value} view-${view.value}`}>
      <Header />
      <Banner />
      <main class="floor">
        <AlarmPanel />
        <MapView />
        <Details />
      </main>
      <ViewSwitch />
    </div>
  );
}

export function App() {
  if (session.value === "signed-out") return <SignIn />;
  if (session.value === "unknown") {
    const failure = failures.value.get("session");
    return <p class="whole-page" role="status">{failure ? t("signin.unreachable", { detail: failure }) : t("loading")}</p>;
  }
  if (parkId.value === null) return <p class="whole-page">{t("parks.none")}</p>;
  return <ControlRoom />;
}
