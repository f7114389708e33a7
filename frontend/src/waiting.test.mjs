// `node --test frontend/src/`; pytest runs it too.
import assert from "node:assert/strict";
import test from "node:test";

import { entryOf, madeOf, nextOf, numberAfter, saidOf } from "./waiting.js";

const about = { pool: "p", name: "Beds", user: "u", shown: "3", key: "k", now: new Date("2026-11-21T14:02:00") };

test("a press without a network is kept as the number that it left on the screen", () => {
  const numbers = ["less", "more", "full", "same"].map((action) => numberAfter({ action }, "3"));
  assert.deepEqual(numbers, [2, 4, 0, 3]);
  assert.deepEqual([numberAfter({ action: "less" }, "0"), numberAfter({ action: "more" }, "?"), numberAfter({ action: "same" }, "?")], [0, 1, null]);
  const entry = entryOf({ action: "more", version: "7", csrfmiddlewaretoken: "x" }, about);
  assert.deepEqual(entry.fields, { action: "more", available: "4" });
  assert.equal(`${saidOf(entry)}, ${madeOf(entry, about.now)}`, "4 empty, 14:02");
  assert.equal(madeOf(entry, new Date("2026-11-23T09:00:00")), "21 November, 14:02");
});

test("what was typed is kept as it was typed, without the version and the token of the page", () => {
  const typed = { action: "set", available: "5", status: "waitlist", note: "Ground floor", version: "7", csrfmiddlewaretoken: "x" };
  const entry = entryOf(typed, about);
  assert.deepEqual(entry.fields, { action: "set", available: "5", status: "waitlist", note: "Ground floor" });
  assert.equal(saidOf(entry), "5 empty");
  assert.equal(saidOf(entryOf({ action: "same" }, about)), "still correct");
});

test("the oldest goes first, and nobody sends what another said", () => {
  const [one, two] = ["1", "2"].map((key) => entryOf({ action: "more" }, { ...about, key }));
  const other = { ...one, key: "3", user: "somebody else" };
  assert.equal(nextOf([other, one, two], "u").key, "1");
  assert.equal(nextOf([other, { ...one, refused: "no" }, two], "u").key, "2");
  assert.equal(nextOf([other], "u"), undefined);
});
