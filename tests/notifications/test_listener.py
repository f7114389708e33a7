"""A slow reader misses no last state, costs no memory beyond what it watches, and holds nobody up."""

import asyncio
import json
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import AnonymousUser

from notifications import listener as module
from notifications.listener import Listener, Message, State, events
from notifications.viewer import Viewer


class Line:
    """A line to a reader that takes a message only when it is told to."""

    def __init__(self, *, direct: bool = False) -> None:
        self.said: list[dict] = []
        self.frames: list[bytes] = []
        self.ready = True
        self.cut = asyncio.Event()
        self._may = asyncio.Semaphore(0)
        self.listener = Listener(Viewer(AnonymousUser()), self._write, self._cut_off, self._put if direct else None)

    def _put(self, frame: bytes) -> bool:
        if self.ready:
            self.frames.append(frame)
        return self.ready

    def offer(self, cursor: str, pools: dict[UUID, int], topics: list[str]) -> None:
        states = {pool: State(version, f'{{"version":{version}}}') for pool, version in pools.items()}
        self.listener.offer(cursor, states, topics, Message(events(cursor, states, topics)))

    async def _write(self, text: str) -> None:
        await self._may.acquire()
        self.said.append(json.loads(text))

    async def _cut_off(self) -> None:
        self.cut.set()

    async def take(self, count: int) -> list[dict]:
        for _ in range(count):
            self._may.release()
        for _ in range(20 * count):
            await asyncio.sleep(0)
        return self.said


async def test_a_slow_reader_gets_the_last_state_of_each_pool():
    line, one, two = Line(), uuid4(), uuid4()
    line.listener.answer('{"kind":"snapshot"}', {})
    await asyncio.sleep(0)
    for version in range(1, 1001):
        line.offer(f"1.{version}", {one: version}, ["region"])
    line.offer("1.1001", {two: 7}, ["org:x"])
    line.listener.beat(Message('{"kind":"heartbeat"}'))
    said = await line.take(3)
    assert said == [
        {"kind": "snapshot"},
        {
            "kind": "events",
            "cursor": "1.1001",
            "pools": {str(one): {"version": 1000}, str(two): {"version": 7}},
            "topics": ["org:x", "region"],
        },
        {"kind": "heartbeat"},
    ]
    line.listener.close()


async def test_nothing_is_said_before_the_answer():
    """A cursor may be remembered only by who has seen all that came before it."""
    line = Line()
    line.listener.begin()
    line.offer("1.2", {uuid4(): 1}, [])
    line.listener.beat(Message('{"kind":"heartbeat"}'))
    assert await line.take(3) == []
    line.listener.answer('{"kind":"snapshot"}', {})
    for _ in range(20):
        await asyncio.sleep(0)
    assert [message["kind"] for message in line.said] == ["snapshot", "events", "heartbeat"]


async def test_who_does_not_read_at_all_is_cut_off(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "SEND_TIMEOUT", 0.01)
    line = Line()
    line.listener.answer("{}", {})
    async with asyncio.timeout(10):
        await line.cut.wait()
    line.offer("1.2", {uuid4(): 1}, [])
    assert await line.take(1) == []


async def test_a_reader_that_keeps_up_is_written_to_at_once_and_one_that_does_not_in_order():
    line, pool = Line(direct=True), uuid4()
    # nothing overtakes the answer to a watch
    line.listener.answer('{"kind":"snapshot"}', {})
    line.offer("1.1", {pool: 1}, [])
    assert (line.frames, await line.take(2)) == ([], line.said)
    assert [message["kind"] for message in line.said] == ["snapshot", "events"]
    # then each message goes as it comes, in a frame for which nobody waits
    line.offer("1.2", {pool: 2}, ["region"])
    message = events("1.2", {pool: State(2, '{"version":2}')}, ["region"]).encode()
    assert line.frames == [bytes([0x81, len(message)]) + message]
    # what cannot be written at once waits, and nothing goes before it
    line.ready = False
    line.offer("1.3", {pool: 3}, [])
    line.ready = True
    line.offer("1.4", {pool: 4}, [])
    line.listener.beat(Message('{"kind":"heartbeat"}'))
    assert len(line.frames) == 1
    await line.take(2)
    assert [(message["kind"], message.get("cursor")) for message in line.said[2:]] == [("events", "1.4"), ("heartbeat", None)]
    line.listener.close()


@pytest.mark.parametrize("direct", [True, False])
async def test_nothing_older_than_the_answer_comes_after_it(direct: bool):
    """The hub may have been reading while the answer was read: what it read is told to others, and to this one when it is younger."""
    line, one, two = Line(direct=direct), uuid4(), uuid4()
    line.listener.begin()
    line.offer("1.1", {one: 11, two: 5}, [])
    line.listener.answer('{"kind":"snapshot"}', {one: 13, two: 5})
    await line.take(2)
    assert [message.get("pools") for message in line.said] == [None, {str(two): {"version": 5}}]
    for version in (12, 13, 14):
        line.offer("1.2", {one: version}, ["region"])
        await line.take(1)
    told = [json.loads(frame[2:]) for frame in line.frames] if direct else line.said[2:]
    assert [(message["pools"].get(str(one)), message["topics"]) for message in told] == [
        (None, ["region"]), ({"version": 13}, ["region"]), ({"version": 14}, ["region"]),
    ]  # fmt: skip
    line.listener.close()
