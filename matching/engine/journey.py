"""How long the way to a service takes, reckoned from the straight line: no road is known here (docs/decisions/0014).

Each way of travelling is a start (seconds: to the car, to the stop and waiting) and a pace (seconds for a kilometre as the crow flies, with
the detour that roads make in it). Whoever is there sooner on foot walks. Whole minutes, rounded up, from whole numbers alone, so that SQL,
memory and this say the same.
"""

from matching.engine.problem import Need, PoolFacts, distance
from matching.engine.rule import Rule, Verdict
from matching.engine.words import Words, count

#: How the person travels; also the place of each way in `Need.paces`. 0 is not said, or on foot.
NOT_SAID, CAR, PUBLIC = 0, 1, 2
ON_FOOT = 0
#: A minute, in thousandths of a second.
MINUTE = 60_000
#: What each way is called, by its place.
NAMES = ("on foot", "by car", "by public transport")


def used(need: Need) -> int:
    """The way that is reckoned with: by car where nobody has said, which is the soonest that it can be."""
    return need.mode or CAR


def lines(need: Need, mode: int | None = None) -> tuple[tuple[int, int], tuple[int, int]]:
    """Start (in thousandths of a second) and pace on foot and in the person's own way, or in another; nothing where nobody said."""
    if not need.paces:
        return (0, 0), (0, 0)
    (foot_start, foot), (start, pace) = need.paces[ON_FOOT], need.paces[mode or used(need)]
    return (foot_start * 1000, foot), (start * 1000, pace)


def minutes(need: Need, metres: int, mode: int | None = None) -> int:
    """How long so many metres take in the person's own way, or in another."""
    return -(-min(start + metres * pace for start, pace in lines(need, mode)) // MINUTE)


def farthest(need: Need) -> int | None:
    """How many metres the longest travel time allows; less than none where it allows nothing. None without such a time."""
    if need.max_minutes is None or not need.paces:
        return None
    return max((need.max_minutes * MINUTE - start) // pace for start, pace in lines(need))


def longest(need: Need) -> int:
    """The time at which the share of travel is nothing: the longest that was given, or what the farthest distance takes."""
    if not need.paces:
        return 0
    return minutes(need, need.max_distance_m) if need.max_minutes is None else need.max_minutes


def no_journey(need: Need, facts: PoolFacts) -> bool:
    """Whether the person need not go: it is online, is of a kind that comes to people, or has said that it visits."""
    return facts.online or bool(need.comes >> facts.care_type & 1) or bool(facts.accepts & need.visits)


def taken(need: Need, facts: PoolFacts) -> int | None:
    """Minutes to a pool; None where it is not on the map, or nobody has said how long ways take."""
    away = distance(need, facts)
    return None if away is None or not need.paces else minutes(need, away)


def by(need: Need, metres: int, mode: int) -> int:
    """Whether so many metres are walked, or travelled in this way: whichever is sooner."""
    on_foot, other = (-(-(start + metres * pace) // MINUTE) for start, pace in lines(need, mode))
    return ON_FOOT if on_foot <= other else mode


def told(need: Need, metres: int, mode: int) -> str:
    """`"about 25 minutes by public transport"`, or on foot where that is sooner."""
    return about(minutes(need, metres, mode), by(need, metres, mode))


def about(length: int, mode: int) -> str:
    """`"about 25 minutes by car"`."""
    return f"about {count(length, 'minute')} {NAMES[mode]}" if length else f"less than a minute {NAMES[mode]}"


def words(need: Need, facts: PoolFacts) -> str:
    """How long the way takes, and by what; empty where nobody can say."""
    if no_journey(need, facts):
        return "no journey"
    away = distance(need, facts)
    if away is None or not need.paces:
        return ""
    if need.mode != NOT_SAID:
        return told(need, away, need.mode)
    return f"{told(need, away, CAR)}, {told(need, away, PUBLIC)}: whether the person drives is not known"


class TravelTime(Rule):
    code, label = "travel", "the longest travel time"

    def verdict(self, need: Need, facts: PoolFacts) -> Verdict:
        if need.max_minutes is None or not need.paces:
            return Verdict.NOT_ASKED
        if no_journey(need, facts):
            return Verdict.MET
        away = distance(need, facts)
        if away is None:
            return Verdict.UNKNOWN
        if minutes(need, away) > need.max_minutes:
            return Verdict.FAILED
        # By car it is near enough, which helps only somebody who has one.
        return Verdict.UNKNOWN if need.mode == NOT_SAID and minutes(need, away, PUBLIC) > need.max_minutes else Verdict.MET

    def sentence(self, need: Need, facts: PoolFacts, words: Words) -> str:
        away, limit = distance(need, facts), need.max_minutes
        metres = away or 0
        match self.verdict(need, facts):
            case Verdict.MET if away is None or no_journey(need, facts):
                return "No journey for the person."
            case Verdict.MET:
                return f"{told(need, metres, used(need)).capitalize()} as reckoned from the distance, within {limit}."
            case Verdict.UNKNOWN if away is None:
                return "Not known: it has not said where it is, so nobody can say how long the way takes."
            case Verdict.UNKNOWN:
                return (
                    f"Not known: {told(need, metres, CAR)}, but {told(need, metres, PUBLIC)}, and the longest you gave is {limit}; "
                    "ask whether the person drives."
                )
            case Verdict.FAILED:
                return f"It is {told(need, metres, used(need))} as reckoned from the distance; the longest you gave is {limit}."
        return ""

    def change(self, need: Need, facts: PoolFacts, words: Words) -> str:
        away = distance(need, facts) or 0
        if need.mode == PUBLIC and minutes(need, away, CAR) <= (need.max_minutes or 0):
            return f"It would fit if somebody drove the person: {told(need, away, CAR)}."
        return f"It would fit if {count(minutes(need, away), 'minute')} were not too long."
