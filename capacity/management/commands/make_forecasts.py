"""`manage.py make_forecasts`"""

import signal
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from capacity import forecast
from capacity.tasks import make_forecasts
from core import clock


class Command(BaseCommand):
    help = "Forecast now, from the days that are summed. Ctrl-C ends it after the group at hand; what was done stays."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--stop", action="store_true", help="Ask a forecast that the worker is making to end.")

    def handle(self, *args: Any, stop: bool, **options: Any) -> None:
        if stop:
            return self._stop()
        asked: list[int] = []

        def ask(number: int, frame: FrameType | None) -> None:
            asked.append(number)

        before = signal.signal(signal.SIGINT, ask)
        try:
            done = forecast.make(at=clock.now(), say=self._say, stop=lambda: bool(asked))
        finally:
            signal.signal(signal.SIGINT, before)
        ended = "Stopped after" if done.stopped else "Forecast"
        self.stdout.write(f"{ended} {done.groups} groups of care types: something is told of {done.told:,} of {done.pools:,} pools.")
        return None

    def _say(self, done: int, total: int, group: str) -> None:
        if done < total:
            self.stdout.write(f"  {done + 1} of {total}: {group or 'groups with few pools'}")

    def _stop(self) -> None:
        jobs = ProcrastinateJob.objects.filter(task_name=make_forecasts.name, status__in=["todo", "doing"])
        for pk in jobs.values_list("pk", flat=True):
            app.job_manager.cancel_job_by_id(pk, abort=True)
            self.stdout.write("It will end after the group at hand; what was done stays.")
        if not jobs.exists():
            self.stdout.write("No forecast is being made.")
