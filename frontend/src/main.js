// The page's scripts. Every page also works without them.
import htmx from "htmx.org";
import { initAll } from "nhsuk-frontend";

import "./live.js";
import { startBoard } from "./board.js";
import { startChoosing } from "./choosing.js";
import { startCountdowns } from "./countdown.js";
import { startDrawing } from "./draw.js";
import { startForms } from "./forms.js";
import { startMaps } from "./map.js";
import { startPlan } from "./plan.js";
import { startPresses } from "./presses.js";
import { startWaiting } from "./waiting.js";

document.body.classList.add("js-enabled", "nhsuk-frontend-supported");
// live.js fires events on elements that htmx has processed.
window.htmx = htmx;
initAll();
startForms(document);
startMaps(document);
startDrawing(document);
startPlan(document);
startPresses(document);
startWaiting(document);
startBoard(document);
startChoosing(document);
startCountdowns();
// A swapped fragment may carry a map or a form part of its own.
document.body.addEventListener("htmx:load", (event) => {
  startForms(event.target);
  startMaps(event.target);
  startPlan(event.target);
});
