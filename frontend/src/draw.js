// Drawing an area: press the map at each corner, drag a corner to move it, drag the middle of a side to make a new one. What is drawn is
// GeoJSON in a text box, which works without this too.
//
// <div data-draw="id-of-text-box" data-areas="/map/areas.json" hidden> with [data-draw-map], buttons [data-draw-add|remove|undo|clear],
// [data-draw-says], and [data-draw-points], where each corner stands as two numbers: all can be done there with the keyboard alone.
import L from "leaflet";

import { drawAreas } from "./map.js";

/** To about a metre. */
const rounded = (degrees) => Math.round(degrees * 1e5) / 1e5;

/** What stands in the text box: its corners when it is one ring, or else the shape, which is shown and not changed here. */
function read(text) {
  let shape;
  try {
    shape = JSON.parse(text);
    if (shape.type === "Feature") shape = shape.geometry;
    const polygons = shape.type === "MultiPolygon" ? shape.coordinates : [shape.coordinates];
    const corners = polygons[0][0].slice(0, -1).map(([lon, lat]) => L.latLng(lat, lon));
    return polygons.length === 1 && polygons[0].length === 1 ? { corners } : { corners: [], shape };
  } catch {
    return { corners: [] };
  }
}

function start(box) {
  if (box.dataset.started) return;
  box.dataset.started = "yes";
  box.hidden = false;
  const text = document.getElementById(box.dataset.draw);
  const says = box.querySelector("[data-draw-says]");
  const frame = box.querySelector("[data-draw-map]");
  const map = L.map(frame, { attributionControl: Boolean(box.dataset.attribution), scrollWheelZoom: false, fadeAnimation: false });
  let { corners, shape } = read(text.value);
  if (corners.length) map.fitBounds(L.latLngBounds(corners), { padding: [30, 30], animate: false });
  else map.setView([53.9, -2.7], 9);
  if (box.dataset.tiles) L.tileLayer(box.dataset.tiles, { attribution: box.dataset.attribution, maxZoom: 19 }).addTo(map);
  drawAreas(map, box.dataset.areas).finally(() => (frame.dataset.ready = "yes"));
  const cross = L.DomUtil.create("span", "lune-draw__middle", frame);
  cross.textContent = "+";
  cross.setAttribute("aria-hidden", "true");

  const drawn = L.layerGroup().addTo(map);
  const points = box.querySelector("[data-draw-points]");
  const remove = box.querySelector("[data-draw-remove]");
  const before = [];
  let chosen = -1;
  let outline;

  const icon = (kind, size) => L.divIcon({ className: `lune-draw__${kind}`, iconSize: [size, size] });
  const between = (one, other) => L.latLng((one.lat + other.lat) / 2, (one.lng + other.lng) / 2);
  const copy = () => corners.map(({ lat, lng }) => L.latLng(lat, lng));

  /** Change the corners in a way that can be taken back. */
  function change(next, selected = -1) {
    before.push({ corners: copy(), shape, text: text.value });
    corners = next;
    chosen = selected;
    write();
  }
  function handle(index, at, made) {
    const marker = L.marker(at, { draggable: true, keyboard: false, bubblingMouseEvents: false, icon: made ? icon("between", 12) : icon(index === chosen ? "corner lune-draw__corner--chosen" : "corner", 16) });
    let moving;
    marker.on("dragstart", () => {
      moving = copy();
      if (made) moving.splice(index, 0, at);
    });
    marker.on("drag", () => {
      moving[index] = marker.getLatLng();
      outline.setLatLngs(moving);
    });
    marker.on("dragend", () => change(moving, index));
    marker.on("click", () => {
      if (made) return change(corners.toSpliced(index, 0, at), index);
      chosen = index === chosen ? -1 : index;
      show();
    });
    marker.addTo(drawn);
  }
  function number(corner, index, name) {
    const input = document.createElement("input");
    input.className = "nhsuk-input nhsuk-input--width-10";
    input.inputMode = "decimal";
    input.value = rounded(corner[name]);
    input.setAttribute("aria-label", `Corner ${index + 1}, ${name === "lat" ? "latitude" : "longitude"}`);
    input.addEventListener("change", () => {
      const degrees = Number(input.value.trim() || NaN);
      const most = name === "lat" ? 90 : 180;
      if (!(Math.abs(degrees) <= most)) {
        input.value = rounded(corner[name]);
        says.textContent = `Write degrees from -${most} to ${most}, such as ${input.value}.`;
        return;
      }
      const next = copy();
      next[index][name] = degrees;
      change(next, index);
      points.querySelectorAll("input")[2 * index + (name === "lat" ? 0 : 1)]?.focus();
    });
    return input;
  }
  function button(words, label, press) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "nhsuk-button nhsuk-button--secondary nhsuk-button--small";
    made.textContent = words;
    made.setAttribute("aria-label", label);
    made.addEventListener("click", press);
    return made;
  }
  function list() {
    points.replaceChildren(
      ...corners.map((corner, index) => {
        const line = document.createElement("li");
        const which = document.createElement("span");
        which.textContent = `${index + 1}.`;
        line.append(
          which,
          number(corner, index, "lat"),
          number(corner, index, "lng"),
          button("Add one after", `Add a corner after corner ${index + 1}`, () => {
            const next = corners[(index + 1) % corners.length];
            change(corners.toSpliced(index + 1, 0, between(corner, next)), index + 1);
            points.querySelectorAll("input")[2 * index + 2]?.focus();
          }),
          button("Remove", `Remove corner ${index + 1}`, () => {
            change(corners.toSpliced(index, 1));
            (points.querySelectorAll("input")[2 * Math.min(index, corners.length - 1)] ?? says).focus?.();
          }),
        );
        return line;
      }),
    );
  }
  function show() {
    drawn.clearLayers();
    if (shape) L.geoJSON(shape, { interactive: false, className: "lune-draw__shape" }).addTo(drawn);
    const whole = corners.length > 2;
    outline = (whole ? L.polygon : L.polyline)(corners, { className: "lune-draw__shape", interactive: false }).addTo(drawn);
    const sides = whole ? corners.length : corners.length - 1;
    for (let side = 0; side < sides; side++) handle(side + 1, between(corners[side], corners[(side + 1) % corners.length]), true);
    corners.forEach((corner, index) => handle(index, corner, false));
    list();
    remove.disabled = chosen < 0;
    remove.textContent = chosen < 0 ? "Take away the corner you press" : `Take away corner ${chosen + 1}`;
    const count = `${corners.length} ${corners.length === 1 ? "corner" : "corners"}`;
    if (shape) says.textContent = "This outline has several pieces or a hole: its text is saved as it is. “Begin again” draws another one.";
    else says.textContent = whole ? `${count}. Give it a name below, then save.` : `${count} of at least 3.`;
  }
  function write() {
    const ring = corners.map(({ lng, lat }) => [rounded(lng), rounded(lat)]);
    text.value = ring.length > 2 ? JSON.stringify({ type: "Polygon", coordinates: [[...ring, ring[0]]] }) : "";
    show();
  }
  function add(corner) {
    if (!shape) change([...corners, corner]);
  }
  map.on("click", (event) => add(event.latlng));
  box.querySelector("[data-draw-add]").addEventListener("click", () => add(map.getCenter()));
  remove.addEventListener("click", () => change(corners.toSpliced(chosen, 1)));
  box.querySelector("[data-draw-undo]").addEventListener("click", () => {
    if (!before.length) return;
    const last = before.pop();
    ({ corners, shape } = last);
    chosen = -1;
    text.value = last.text;
    show();
  });
  box.querySelector("[data-draw-clear]").addEventListener("click", () => {
    before.push({ corners: copy(), shape, text: text.value });
    [corners, shape, chosen] = [[], undefined, -1];
    write();
  });
  text.addEventListener("change", () => {
    ({ corners, shape } = read(text.value));
    chosen = -1;
    show();
  });
  show();
}

export function startDrawing(root) {
  root.querySelectorAll("[data-draw]").forEach(start);
}
