// A map of services that needs no network: outlines and town names come from our own server.
//
// <div class="lune-map" data-map data-areas="/map/areas.json" data-places="id-of-json" data-home='[lat,lon]'>
// Places are JSON: [{id, lat, lon, name, rag, word, href, target}]. The list beside the map says the same in words.
import * as L from "leaflet";

const FIRST_IN_VIEW = 12;

/** One shape for each state, so that colour is never alone. Drawn by styles/_map.scss. */
function icon(place, number) {
  return L.divIcon({
    className: `lune-pin lune-pin--${place.rag}`,
    html: `<span class="lune-pin__shape" aria-hidden="true"></span><span class="lune-pin__text" aria-hidden="true">${number}</span>`,
    iconSize: [30, 30],
  });
}

function popup(place) {
  const box = document.createElement("div");
  const link = document.createElement("a");
  link.href = place.href || `#${place.target}`;
  link.textContent = place.name;
  const word = document.createElement("p");
  word.textContent = place.word;
  box.append(link, word);
  return box;
}

async function drawAreas(map, address) {
  const answer = await fetch(address, { headers: { Accept: "application/geo+json" } });
  if (!answer.ok) return;
  const { outlines, towns } = await answer.json();
  L.geoJSON(outlines, {
    interactive: false,
    style: { className: "lune-map__area", weight: 1 },
  }).addTo(map);
  const labels = L.layerGroup();
  for (const town of towns) {
    const text = document.createElement("span");
    text.textContent = town.name;
    L.marker([town.lat, town.lon], {
      interactive: false,
      keyboard: false,
      icon: L.divIcon({ className: `lune-map__town lune-map__town--${town.size}`, html: text, iconSize: [0, 0] }),
    }).addTo(labels);
  }
  labels.addTo(map);
  const zoomed = () => map.getContainer().classList.toggle("lune-map--near", map.getZoom() >= 11);
  map.on("zoomend", zoomed);
  zoomed();
}

function start(box) {
  if (box.dataset.started) return;
  box.dataset.started = "yes";
  box.hidden = false;
  const places = JSON.parse(document.getElementById(box.dataset.places).textContent);
  const home = box.dataset.home ? JSON.parse(box.dataset.home) : null;
  const map = L.map(box, { attributionControl: Boolean(box.dataset.attribution), scrollWheelZoom: false, fadeAnimation: false });
  // The best lines decide what is in view at first: a far one would shrink the rest to a heap.
  const points = places.slice(0, FIRST_IN_VIEW).map((place) => [place.lat, place.lon]);
  if (home) points.push(home);
  if (points.length) map.fitBounds(L.latLngBounds(points).pad(0.15), { maxZoom: 12, animate: false });
  else map.setView([53.9, -2.7], 9);
  if (box.dataset.tiles) L.tileLayer(box.dataset.tiles, { attribution: box.dataset.attribution, maxZoom: 19 }).addTo(map);
  const drawn = box.dataset.areas ? drawAreas(map, box.dataset.areas) : Promise.resolve();
  if (home) {
    L.marker(home, {
      keyboard: false,
      interactive: false,
      zIndexOffset: 10_000,
      icon: L.divIcon({ className: "lune-pin lune-pin--home", html: "<span>Home</span>", iconSize: [44, 22] }),
    }).addTo(map);
  }
  const pins = new Map();
  places.forEach((place, index) => {
    const pin = L.marker([place.lat, place.lon], {
      icon: icon(place, place.number ?? index + 1),
      title: `${place.name}: ${place.word}`,
      alt: `${place.name}: ${place.word}`,
      riseOnHover: true,
      zIndexOffset: (places.length - index) * 100, // a better line lies above a lesser one
    });
    pin.bindPopup(popup(place)).addTo(map);
    pins.set(place.id, { pin, place });
  });
  follow(box, pins);
  // The outline must be drawn before a test or a person is told that the map is ready.
  drawn.finally(() => (box.dataset.ready = "yes"));
}

/** A live badge in the page that changes takes its pin with it. */
function follow(box, pins) {
  const watcher = new MutationObserver((changes) => {
    for (const change of changes) {
      const badge = change.target instanceof Element ? change.target.closest(".lune-rag") : change.target.parentElement?.closest(".lune-rag");
      const found = badge && pins.get(badge.dataset.pool);
      const rag = badge && [...badge.classList].find((name) => name.startsWith("lune-rag--"))?.slice("lune-rag--".length);
      const element = found?.pin.getElement();
      if (!element || !rag) continue;
      for (const name of ["green", "amber", "red", "grey"]) element.classList.toggle(`lune-pin--${name}`, name === rag);
      const word = badge.querySelector(".lune-rag__word")?.textContent.trim() ?? "";
      element.title = `${found.place.name}: ${word}`;
      element.setAttribute("aria-label", element.title);
      found.place.word = word;
      found.pin.setPopupContent(popup(found.place));
    }
  });
  for (const badge of document.querySelectorAll(".lune-rag[data-pool]")) {
    if (pins.has(badge.dataset.pool)) {
      watcher.observe(badge, { attributes: true, attributeFilter: ["class"], childList: true, subtree: true, characterData: true });
    }
  }
}

export function startMaps(root) {
  root.querySelectorAll("[data-map]").forEach(start);
}
