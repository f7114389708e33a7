"""Asks the route planner of the settings for one way, and says what is wrong if it does not answer."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalogue.queries import find_place
from core.errors import LuneError
from matching.engine import journey
from matching.engine.words import miles
from matching.travel.router import Away, Place, router


class Command(BaseCommand):
    help = "Check that the route planner (LUNE_ROUTER) answers: the way between two postcodes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("home", help="a postcode, or its first half, inside the area whose roads were loaded")
        parser.add_argument("place", help="another one")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            planner = router()
        except ValueError as error:
            raise CommandError(str(error)) from None
        if planner is None:
            self.stdout.write("No route planner is set (LUNE_ROUTER): ways are reckoned from the straight line.")
            return
        try:
            home, place = (Place(round(at.x), round(at.y)) for at in (find_place(options[name]).point for name in ("home", "place")))
        except LuneError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Asking {planner.name}, {planner.about()}.")
        began = time.perf_counter()
        try:
            [way] = planner.times(journey.CAR, home, [place])
        except Away as reason:
            raise CommandError(f"The route planner {reason}. Until it does, ways are reckoned from the straight line.") from None
        took = (time.perf_counter() - began) * 1000
        if way is None:
            raise CommandError("It answers, but knows no way between these two: are their roads in the extract that was loaded?")
        length = "" if way.metres is None else f", {miles(way.metres)}"
        self.stdout.write(self.style.SUCCESS(f"It answers in {took:.0f} ms: {-(-way.seconds // 60)} minutes by car{length}."))
