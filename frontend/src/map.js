// A map of services that needs no network: outlines and town names come from our own server.
//
// <div class="lune-map" data-map data-areas="/map/areas.json" data-places="id-of-json" data-home='[lat,lon]'>
// Places are JSON: [{id, number, lat, lon, name, rag, word, href}]. The list beside the map says the same in words.
import L from "leaflet";
import "leaflet.markercluster"; // adds to the same L

const PIN = 30;
/** Pins closer than this, in pixels, become one heap that says how many they are: a heap's width, so that heaps lie apart. */
const HEAP_RADIUS = 58;
/** Around a person's home the numbers of the best lines matter: only pins that truly cover one another become a heap. */
const HEAP_RADIUS_RANKED = 22;
const BEST = 12;

/** One shape for each state, so that colour is never alone. Drawn by styles/_map.scss. */
function icon(place, number) {
  return L.divIcon({
    className: `lune-pin lune-pin--${place.rag}`,
    html: `<span class="lune-pin__shape" aria-hidden="true"></span><span class="lune-pin__text" aria-hidden="true">${number}</span>`,
    iconSize: [PIN, PIN],
  });
}

/** Several pins that would cover one another: how many, and how many of them are accepting now. */
function heap(cluster) {
  const pins = cluster.getAllChildMarkers();
  const free = pins.filter((pin) => pin.place.rag === "green").length;
  // Leaflet gives the title to the marker after it has asked for its icon.
  cluster.options.title = `${pins.length} services here, ${free} accepting now. Press to look closer`;
  const accepting = free ? `<span class="lune-heap__free">${free}</span>` : "";
  return L.divIcon({
    className: "lune-heap",
    html: `<span aria-hidden="true"><span class="lune-heap__count">${pins.length}</span>${accepting}</span>`,
    iconSize: [free ? 58 : 36, 36],
  });
}

function popup(place) {
  const box = document.createElement("div");
  const link = document.createElement("a");
  link.href = place.href;
  link.textContent = place.name;
  const word = document.createElement("p");
  word.textContent = place.word;
  box.append(link, word);
  return box;
}

export async function drawAreas(map, address) {
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
      zIndexOffset: -10_000, // names lie below what one can press
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
  const map = L.map(box, {
    attributionControl: Boolean(box.dataset.attribution),
    scrollWheelZoom: false,
    fadeAnimation: false,
    zoomSnap: 0.5,
    maxZoom: 18,
  });
  // Around a home the best lines decide what is in view at first: a far one would shrink the rest to heaps.
  const points = (home ? places.slice(0, BEST) : places).map((place) => [place.lat, place.lon]);
  if (home) points.push(home);
  if (points.length) map.fitBounds(points, { padding: [PIN, PIN], maxZoom: 12, animate: false });
  else map.setView([53.9, -2.7], 9);
  if (box.dataset.tiles) L.tileLayer(box.dataset.tiles, { attribution: box.dataset.attribution, maxZoom: 19 }).addTo(map);
  const drawn = box.dataset.areas ? drawAreas(map, box.dataset.areas) : Promise.resolve();
  if (home) {
    L.marker(home, {
      keyboard: false,
      interactive: false,
      zIndexOffset: 10_000,
      // The tip of the flag is the point; the flag stands above it and leaves the name of the town to be read.
      icon: L.divIcon({ className: "lune-home", html: "<span>Home</span>", iconSize: [48, 24], iconAnchor: [24, 32] }),
    }).addTo(map);
  }
  const heaps = L.markerClusterGroup({
    maxClusterRadius: home ? HEAP_RADIUS_RANKED : HEAP_RADIUS,
    iconCreateFunction: heap,
    disableClusteringAtZoom: "alone" in box.dataset ? 1 : null, // what stands for an area is no service among others
    animate: false,
    showCoverageOnHover: false,
    spiderfyOnMaxZoom: true,
  });
  const pins = new Map();
  places.forEach((place, index) => {
    const pin = L.marker([place.lat, place.lon], {
      icon: icon(place, place.number ?? ""),
      title: `${place.name}: ${place.word}`,
      riseOnHover: true,
      zIndexOffset: (places.length - index) * 100, // a better line lies above a lesser one
    });
    pin.place = place;
    pin.bindPopup(popup(place));
    heaps.addLayer(pin);
    pins.set(place.id, pin);
  });
  heaps.addTo(map);
  follow(pins, heaps);
  // The outline must be drawn before a test or a person is told that the map is ready.
  drawn.finally(() => (box.dataset.ready = "yes"));
}

/** A live badge in the page that changes takes its pin with it, and the heap that the pin lies in. */
function follow(pins, heaps) {
  const watcher = new MutationObserver((changes) => {
    for (const change of changes) {
      const from = change.target instanceof Element ? change.target : change.target.parentElement;
      const badge = from?.closest(".lune-rag");
      const pin = badge && pins.get(badge.dataset.pool);
      const rag = badge && [...badge.classList].find((name) => name.startsWith("lune-rag--"))?.slice("lune-rag--".length);
      if (!pin || !rag) continue;
      const { place } = pin;
      place.rag = rag;
      place.word = badge.querySelector(".lune-rag__word")?.textContent.trim() ?? "";
      pin.options.title = `${place.name}: ${place.word}`;
      // setIcon keeps the element, and with it the title of the old icon.
      pin.setIcon(icon(place, place.number ?? ""));
      pin.getElement()?.setAttribute("title", pin.options.title);
      pin.setPopupContent(popup(place));
      heaps.refreshClusters(pin);
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
