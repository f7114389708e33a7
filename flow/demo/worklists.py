"""What shows that worklists are in use: views that a team saved, something done to several people, a referral that came on paper."""

from datetime import datetime, timedelta
from uuid import UUID

from catalogue.models import User
from core.clock import local_date
from core.ids import derived
from flow.demo.logins import DOMAIN
from flow.intake import operations as intake
from flow.models import Episode
from flow.worklist import operations as worklists
from flow.worklist.lines import Show, Wanted, lines
from matching import operations as matching
from matching.models import MatchRun

VIEWS = (
    ("Our move", "move=ours", False),
    ("Care homes, a week or more", "pathway=P3&days=7", True),
    ("Late answers", "overdue=yes&show=sent", True),
)
#: Somebody whom a parish priest wrote about.
PERSON = {"given_name": "Winifred", "family_name": "Askew", "sex": "female", "nhs_number": "", "phone": ""}
LETTER = "She has been alone since her sister died. She used to sing."


def load(*, seed: int, at: datetime) -> int:
    """Set these up for the log-ins of the demonstration. Returns how many views there are. The region must be there."""
    saved = 0
    for login in ("discharge", "linkworker"):
        by = User.objects.filter(email=f"{login}@{DOMAIN}").first()
        if by is None:
            continue
        for name, filters, is_shared in VIEWS[: None if login == "discharge" else 1]:
            worklists.save_view(name=name, filters=filters, by=by, at=at, is_shared=is_shared)
            saved += 1
        if login == "discharge":
            _expected(seed, by, at)
        else:
            _on_paper(by, at)
    return saved


def _expected(seed: int, by: User, at: datetime) -> None:
    """Several people of one ward are expected to move on the same day."""
    ward = [line for line in lines(by, at, Wanted(show=Show.WAITING)) if line.ward][:4]
    if ward:
        asked = {"expected": (local_date(at) + timedelta(days=2)).isoformat()}
        keys = [line.key for line in ward]
        batch: UUID = derived("demo", str(seed), "batch")
        worklists.carry_out(batch_id=batch, action="expected", asked=asked, keys=keys, by=by, at=at)


def _on_paper(by: User, at: datetime) -> None:
    near = Episode.objects.visible_to(by).select_related("patient").order_by("pk").first()
    if near is None:
        return
    postcode = near.patient.postcode
    need = {"age": 81, "sex": "female", "postcode": postcode, "care_types": ["befriending"], "max_miles": 25}
    profile = matching.profile_from(need, by=by)
    run: MatchRun = matching.match(profile, by=by, at=at)
    found = matching.lines(run)[:1]
    if found:
        born = local_date(at).replace(day=1) - timedelta(days=round(81.5 * 365.25))
        intake.enter(
            person=PERSON | {"birth_date": born, "postcode": postcode},
            origin=intake.Origin(channel="paper", sector="faith", sender="St Oswald’s", received_on=local_date(at) - timedelta(days=6)),
            profile_id=profile.pk, match_run_id=run.pk, pool_ids=[found[0].pool_id], by=by, at=at, reason=LETTER, consent=True,
        )  # fmt: skip
