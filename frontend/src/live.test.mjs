// `node --test frontend/src/`; pytest runs it too.
import assert from "node:assert/strict";
import test from "node:test";

import { pagesOf } from "./board.js";
import { backOff, isGone, nextChange, sameWatch, stateAt, statusText, supersedes, told, topicsOf, wayFor, withAge, withTeller } from "./live.js";

const at = (text) => Date.parse(`2026-11-21T${text}Z`);
const timeline = [
  ["2026-11-21T10:00:00Z", "green", "3 free", "Accepting now."],
  ["2026-11-21T12:00:00Z", "amber", "3 free, check first", "The figure is getting old."],
  ["2026-11-21T14:00:00Z", "grey", "Not known", "The last figure is too old to rely on."],
];

test("a figure decays at the moments it was told, and never back", () => {
  const colours = ["09:59:00", "10:00:00", "11:59:59", "12:00:00", "13:59:59", "14:00:00", "23:00:00"].map((t) => stateAt(timeline, at(t))[1]);
  assert.deepEqual(colours, ["green", "green", "green", "amber", "amber", "grey", "grey"]);
  assert.equal(nextChange(timeline, at("11:00:00")), at("12:00:00"));
  assert.equal(nextChange(timeline, at("14:00:00")), Infinity);
});

test("the greatest version wins, whatever the order of arrival", () => {
  assert.equal(supersedes(4, "3"), true);
  assert.equal(supersedes(3, "3"), true);
  assert.equal(supersedes(2, "3"), false);
  assert.equal(supersedes(10, "9"), true);
  assert.equal(supersedes(1, undefined), true);
});

test("ages read as the server writes them", () => {
  const now = at("12:00:00");
  const words = [null, "2026-11-21T11:59:30Z", "2026-11-21T11:59:00Z", "2026-11-21T09:00:00Z", "2026-11-19T11:00:00Z", "2026-11-21T12:00:09Z"];
  assert.deepEqual(
    words.map((time) => told(time, now)),
    ["never told", "told just now", "told 1 minute ago", "told 3 hours ago", "told 2 days ago", "told just now"],
  );
});

test("a new age keeps who told it", () => {
  assert.equal(withAge("told 1 minute ago by Fir Grove, on Lune", "told 2 hours ago"), "told 2 hours ago by Fir Grove, on Lune");
  assert.equal(withAge("told just now", "told 1 minute ago"), "told 1 minute ago");
  assert.equal(withAge("", "never told"), "never told");
  assert.equal(withTeller("told 1 minute ago by Fir Grove, on Lune", "by Elm Lodge, by file"), "told 1 minute ago by Elm Lodge, by file");
  assert.equal(withTeller("told 1 minute ago on Lune", "by Elm Lodge, by file"), "told 1 minute ago by Elm Lodge, by file");
  assert.equal(withAge(withTeller("never told", "by Elm Lodge"), "told just now"), "told just now by Elm Lodge");
  assert.equal(withTeller("told 1 minute ago by Fir Grove", ""), "told 1 minute ago");
});

test("waiting doubles, is spread, and has an end", () => {
  assert.equal(backOff(0, 1), 500);
  assert.equal(backOff(0, 0), 250);
  assert.equal(backOff(3, 1), 2000);
  assert.equal(backOff(39, 1), 2000);
  assert.equal(backOff(1000, 1), 30000);
});

test("a page asks when three sockets in a row were refused, and now and then tries a socket after all", () => {
  assert.deepEqual([0, 1, 2].map((refused) => wayFor(refused, 0, 1e9)), ["socket", "socket", "socket"]);
  assert.equal(wayFor(3, 0, 1e9), "poll");
  assert.equal(wayFor(3, 1e9 - 119_000, 1e9), "poll");
  assert.equal(wayFor(3, 1e9 - 120_000, 1e9), "socket");
});

test("the status says since when", () => {
  assert.equal(statusText(true, new Date()), "Live");
  assert.equal(statusText(false, new Date(2026, 10, 21, 9, 5)), "Not live since 09:05");
});

test("a watch is sent again only when it differs", () => {
  const watch = { pools: ["a"], topics: ["region"] };
  assert.equal(sameWatch(null, watch), false);
  assert.equal(sameWatch(watch, { pools: ["a"], topics: ["region"] }), true);
  assert.equal(sameWatch(watch, { pools: ["a", "b"], topics: ["region"] }), false);
  assert.deepEqual(topicsOf("  org:1\n region "), ["org:1", "region"]);
  assert.deepEqual(topicsOf(undefined), []);
});

test("a board's pages hold what fits, in order, and each at least one row", () => {
  assert.deepEqual(pagesOf([], 100, 8), [0]);
  assert.deepEqual(pagesOf([40, 40, 40], 100, 8), [0, 2]);
  assert.deepEqual(pagesOf([40, 52, 300, 40], 100, 8), [0, 2, 3]);
  assert.deepEqual(pagesOf([40, 40, 40], Infinity, 8), [0]);
});

test("what may no longer be seen goes, and a server that is away takes nothing", () => {
  assert.deepEqual([200, 304, 403, 404, 429, 500, 503, 0].map(isGone), [false, false, true, true, false, false, false, false]);
});
