"""The referral loop under the load of a large country's busiest hour: referrals sent and figures told by the API, for five minutes."""

import json
import os
import subprocess
import sys
from typing import Any
from uuid import uuid4

from tests.bench.bench_live import BASE_DIR, cpu
from tests.bench.bench_update_rate import WORKERS, children, serving
from tests.bench.harness import Measured, bench, percentile

#: 22 referrals and 52 figures a second; what costs the site least, a few times a second beside them, is the floor.
RATES = {"referral": 22, "update": 52, "floor": 4}
SECONDS, WARM = 300, 10
SENDERS, HOMES = 16, 208


@bench(
    "referral-load",
    unit="ms",
    goal="22 referrals a second with 52 figures a second for 5 minutes: no error, p95 of a referral below 500 ms",
)
def referral_load() -> Measured:
    """Sixteen teams send, each person once, to three of two hundred homes; the homes tell their figures meanwhile."""
    from core.models import Event
    from flow.models import ReferralTask

    given = people_and_homes(RATES["referral"] * (WARM + SECONDS))
    warm = RATES["referral"] * WARM
    with serving() as (port, site):
        load(port, WARM, given | {"referrals": given["referrals"][:warm]})
        tasks, events = ReferralTask.objects.filter(status="requested"), Event.objects.all()
        before, journal, used = tasks.count(), events.count(), sum(map(cpu, children(site)))
        found = load(port, SECONDS, given | {"referrals": given["referrals"][warm:]})
        used = sum(map(cpu, children(site))) - used
        kept, written = tasks.count() - before, events.count() - journal
    times, wrong = found["times"], found["wrong"]
    p95, p99 = ({kind: percentile(times[kind], share) * 1e3 for kind in times} for share in (0.95, 0.99))
    sent, told, gone = len(times["referral"]), len(times["update"]), sum(wrong.values())
    note = (
        f"{sent} referrals of three requests each and {told} figures in {SECONDS} s with {WORKERS} uvicorn processes: {gone} errors"
        f"{' ' + json.dumps(wrong)[:300] if wrong else ''}; {kept} requests and {written} events kept."
        f" A referral p95 {p95['referral']:.0f} ms, p99 {p99['referral']:.0f}; a figure p95 {p95['update']:.0f}, p99 {p99['update']:.0f},"
        f" from the instant at which it was due. The site used {used / SECONDS:.2f} of two processors; load {os.getloadavg()[0]:.1f}."
        " Floor: a page that asks nothing of the database, at the same time."
    )
    return Measured(times["referral"], times["floor"], note)


def people_and_homes(count: int) -> dict[str, Any]:
    """`count` people, with who sends for each and to whom; and whoever tells of which place."""
    from django.utils import timezone
    from knox.models import AuthToken

    from capacity.models import ServiceCapacity
    from flow.models import Patient
    from tests.factories import NeedProfileFactory, OutcodeFactory, PatientFactory, PoolFactory, UserFactory

    OutcodeFactory()
    homes = []
    for _ in range(HOMES):
        pool: Any = PoolFactory(maximum=60)
        keeper = UserFactory(provider=True, email=f"bench-{uuid4()}@example.org", organization=pool.service.organization)
        homes.append([AuthToken.objects.create(user=keeper)[1], str(pool.pk)])
    pools = [pool for _, pool in homes]
    ServiceCapacity.objects.filter(pk__in=pools).update(available=30, reported_at=timezone.now())
    senders: list[tuple[str, Any, Any, str]] = []
    for _ in range(SENDERS):
        sender: Any = UserFactory(email=f"bench-{uuid4()}@example.org")
        near: Any = PatientFactory(organization=sender.organization)
        profile: Any = NeedProfileFactory(organization=sender.organization)
        senders.append((AuthToken.objects.create(user=sender)[1], sender.organization, near.point, str(profile.pk)))
    people = Patient.objects.bulk_create(
        Patient(
            organization=senders[number % SENDERS][1], given_name="Bench", family_name=f"Person {number}",
            birth_date="1941-05-17", postcode="PR1 9ZQ", point=senders[number % SENDERS][2],
        )
        for number in range(count)
    )  # fmt: skip
    referrals = []
    for number, patient in enumerate(people):
        token, _, _, needs = senders[number % SENDERS]
        start = number * 7 % (HOMES - 3)
        referrals.append([token, str(patient.pk), needs, pools[start : start + 3]])
    return {"referrals": referrals, "updates": homes, "rates": RATES}


def load(port: int, seconds: float, given: dict[str, Any]) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.loop_load", str(port), str(seconds)]
    done = subprocess.run(command, cwd=BASE_DIR, input=json.dumps(given) + "\n", stdout=subprocess.PIPE, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
