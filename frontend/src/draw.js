// Drawing an area: press the map at each corner. What is drawn is GeoJSON in a text box, which works without this too.
//
// <div data-draw="id-of-text-box" data-areas="/map/areas.json" hidden> with [data-draw-map], buttons [data-draw-add|undo|clear]
// and [data-draw-says]. With the keyboard: arrows move the map under the cross in its middle, a button sets a corner there.
import L from "leaflet";

import { drawAreas } from "./map.js";

/** To about a metre. */
const rounded = (degrees) => Math.round(degrees * 1e5) / 1e5;

/** The corners of the first ring of a polygon that stands in the text box; none for anything else. */
function cornersOf(text) {
  try {
    const shape = JSON.parse(text);
    const ring = shape.type === "MultiPolygon" ? shape.coordinates[0][0] : shape.coordinates[0];
    return ring.slice(0, -1).map(([lon, lat]) => L.latLng(lat, lon));
  } catch {
    return [];
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
  let corners = cornersOf(text.value);
  if (corners.length) map.fitBounds(L.latLngBounds(corners), { padding: [30, 30], animate: false });
  else map.setView([53.9, -2.7], 9);
  if (box.dataset.tiles) L.tileLayer(box.dataset.tiles, { attribution: box.dataset.attribution, maxZoom: 19 }).addTo(map);
  drawAreas(map, box.dataset.areas).finally(() => (frame.dataset.ready = "yes"));
  const cross = L.DomUtil.create("span", "lune-draw__middle", frame);
  cross.textContent = "+";
  cross.setAttribute("aria-hidden", "true");

  const drawn = L.layerGroup().addTo(map);
  function show() {
    drawn.clearLayers();
    const shape = corners.length > 2 ? L.polygon : L.polyline;
    shape(corners, { className: "lune-draw__shape", interactive: false }).addTo(drawn);
    for (const corner of corners) {
      L.marker(corner, {
        interactive: false,
        keyboard: false,
        icon: L.divIcon({ className: "lune-draw__corner", iconSize: [12, 12] }),
      }).addTo(drawn);
    }
    const count = `${corners.length} ${corners.length === 1 ? "corner" : "corners"}`;
    says.textContent = corners.length > 2 ? `${count}. Give it a name below, then save.` : `${count} of at least 3.`;
  }
  function write() {
    const ring = corners.map(({ lng, lat }) => [rounded(lng), rounded(lat)]);
    text.value = ring.length > 2 ? JSON.stringify({ type: "Polygon", coordinates: [[...ring, ring[0]]] }) : "";
    show();
  }
  function add(corner) {
    corners.push(corner);
    write();
  }
  map.on("click", (event) => add(event.latlng));
  box.querySelector("[data-draw-add]").addEventListener("click", () => add(map.getCenter()));
  box.querySelector("[data-draw-undo]").addEventListener("click", () => {
    corners.pop();
    write();
  });
  box.querySelector("[data-draw-clear]").addEventListener("click", () => {
    corners = [];
    write();
  });
  text.addEventListener("change", () => {
    corners = cornersOf(text.value);
    show();
  });
  show();
}

export function startDrawing(root) {
  root.querySelectorAll("[data-draw]").forEach(start);
}
