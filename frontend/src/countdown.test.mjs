// `node --test frontend/src/`; pytest runs it too, and holds these words against the server's.
import assert from "node:assert/strict";
import test from "node:test";

import { left } from "./countdown.js";

test("the time left reads as the server writes it", () => {
  const words = [7200, 7199, 3900, 3660, 86400 + 7200 + 120, 600].map(left);
  assert.deepEqual(words, [
    "2 hours left",
    "1 hour 59 minutes left",
    "1 hour 5 minutes left",
    "1 hour 1 minute left",
    "1 day 2 hours left",
    "10 minutes left",
  ]);
});

test("the last minutes are told by the second, and then it is over", () => {
  assert.deepEqual([599.5, 61, 60, 1.2, 0, -5].map(left), [
    "9 minutes 59 seconds left",
    "1 minute 1 second left",
    "1 minute left",
    "1 second left",
    "time is up",
    "time is up",
  ]);
});
