"""What shows that the demonstration is in use: groups with so many places at each session, and a directory that people read.

The sessions come in by the door that a provider uses; what was counted of readers is invented, for no more days than a chart needs.
"""

import random
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from django.utils import timezone

from capacity import operations, pools
from catalogue.models import Area, Schedule, Service, UsageCount, User
from flow.demo.logins import CHARITY
from flow.demo.world import SOURCE

#: Kind of care, what the places are called, day, from, to, how many; of the charity's services the first of that kind.
GROUPS = (
    ("befriending", "Tea and talk", "TU", time(10), time(12), 12),
    ("physical-activity", "Chair exercises", "TH", time(14), time(15, 30), 16),
    ("lunch-club", "Friday lunch", "FR", time(12), time(14), 24),
)
#: So many of the coming sessions have places taken already.
FILLING = 3
READ_DAYS = 42
#: What is searched for, the likelier the further up, and what finds nothing.
WORDS = (
    "befriending", "lunch club", "dementia", "debt advice", "care home", "exercise", "transport", "carers", "gardening", "walking group",
    "hearing", "young people",
)  # fmt: skip
WITHOUT_ANSWER = ("swimming for beginners", "hydrotherapy", "piano")
_K = UsageCount.Kind


def load(*, seed: int, at: datetime) -> int:
    """Set up the groups and write what was counted. Returns how many groups there are. The region must be there."""
    chance = random.Random(f"{seed}/in use")
    groups = sum(_group(chance, at, *group) for group in GROUPS)
    UsageCount.objects.bulk_create(_read(chance, timezone.localdate(at)), batch_size=2_000, ignore_conflicts=True)
    return groups


def _group(chance: random.Random, at: datetime, kind: str, name: str, day: str, opens: time, closes: time, places: int) -> bool:
    service = Service.objects.filter(organization__name=CHARITY, source=SOURCE, care_type__code=kind).order_by("pk").first()
    by = User.objects.filter(organization__name=CHARITY, role=User.Role.PROVIDER).order_by("-last_name", "pk").first()
    if service is None or by is None:
        return False
    schedule = Schedule.objects.create(
        service=service, freq="WEEKLY", interval=1, byday=day, opens_at=opens, closes_at=closes, description=name
    )  # fmt: skip
    series = pools.add(
        service_id=service.pk, by=by, at=at, name=name, unit="place", per="session", schedule=schedule, maximum=places
    )  # fmt: skip
    for number, session in enumerate(series.sessions.order_by("starts_at")[:FILLING]):
        left = chance.randint(0, places // 3) + number * places // 4
        operations.report(pool_id=session.pk, by=by, at=at, available=min(left, places))
    return True


def _read(chance: random.Random, today: date) -> Iterator[UsageCount]:
    """A directory that is read on working days more than at weekends, and a little more each week."""
    districts = list(Area.objects.filter(kind=Area.Kind.DISTRICT).order_by("code").values_list("code", flat=True)[:6])
    shown = Service.objects.public().filter(source=SOURCE).order_by("pk")
    opened = [*shown.filter(organization__name=CHARITY), *shown.exclude(organization__name=CHARITY)[: 40 * 12 : 12]]
    for ago in range(1, READ_DAYS + 1):
        day = today - timedelta(days=ago)
        many = round((140 - ago) * (0.45 if day.weekday() > 4 else 1) * chance.uniform(0.85, 1.15))
        yield UsageCount(day=day, kind=_K.VISITOR, count=many)
        yield UsageCount(day=day, kind=_K.VISIT, count=round(many * 1.3))
        for number, words in enumerate(WORDS):
            asked = round(many / (4 + number) * chance.uniform(0.5, 1.2))
            if asked:
                yield UsageCount(day=day, kind=_K.SEARCH, what=words, area=chance.choice(["", *districts]), count=asked)
        if ago % 3 == 0:
            words = chance.choice(WITHOUT_ANSWER)
            for kind in (_K.SEARCH, _K.NO_ANSWER):
                yield UsageCount(day=day, kind=kind, what=words, count=chance.randint(1, 4))
        for service in chance.sample(opened, min(len(opened), 24)):
            looks = chance.randint(1, 9)
            yield UsageCount(day=day, kind=_K.OPENED, service=service, count=looks)
            if looks > 3:
                yield UsageCount(day=day, kind=chance.choice([_K.PHONE, _K.PHONE, _K.EMAIL, _K.WEB]), service=service, count=looks // 3)
            if looks > 7:
                yield UsageCount(day=day, kind=_K.REFERRAL, service=service, count=1)
