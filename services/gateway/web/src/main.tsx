import "leaflet/dist/leaflet.css";
import "uplot/dist/uPlot.min.css";
import "./style.css";
import "./alarms.css";
import "./map.css";
import { effect } from "@preact/signals";
import { render } from "preact";
import { App } from "./App";
import { stands } from "./derive";
import { language } from "./i18n";
import { startFrames } from "./map/frames";
import { placeName } from "./names";
import { startFollowing } from "./selection";
import { highestAlarm, park } from "./state";
import { startSound } from "./sound";
import { startSync } from "./sync";

effect(() => {
  document.documentElement.lang = language.value === "zh" ? "zh-CN" : "en";
});
effect(() => {
  const name = placeName(park.value?.name);
  const mark = highestAlarm.value && stands(highestAlarm.value) ? "⚠ " : "";
  document.title = mark + (name ? `${name} · Fenceline` : "Fenceline");
});

startFrames();
startFollowing();
startSync();
startSound();
render(<App />, document.getElementById("page")!);
