"""What counts for how much. One class each: a share in thousandths from the numbers, and the words for it.

Points are `weight * share // 1000`: whole numbers, so that SQL and Python add up to the same.
"""

from abc import ABC, abstractmethod
from datetime import date

from matching.engine import journey, likelihood, place
from matching.engine import times as week
from matching.engine.problem import Need, PoolFacts, distance
from matching.engine.words import Words, ago, count, miles, on, pounds, wait

#: A full share.
ALL = 1000
#: Shares for "not rated" and for CQC's ratings 1 to 4.
QUALITY = (400, 0, 300, 750, ALL)
#: Share of a service that has not said when it is open: less than one that suits, more than one that does not.
TIMES_NOT_SAID = 400
#: A record that was checked this many days ago or more gets nothing for it.
ASSURANCE_DAYS = 730


class Factor(ABC):
    """One reason to prefer a service. `label` follows "for"."""

    code: str
    label: str

    @abstractmethod
    def share(self, need: Need, facts: PoolFacts) -> int:
        """From 0 to 1000."""

    @abstractmethod
    def words(self, need: Need, facts: PoolFacts, words: Words) -> str:
        """Why the share is what it is."""

    def better(self, need: Need, facts: PoolFacts, words: Words) -> str:
        """What the service, or whoever knows it, could do for a greater share: `"if …"` or `"once …"`. Empty when that is nothing."""
        return ""


class Distance(Factor):
    code, label = "distance", "distance"

    def share(self, need: Need, facts: PoolFacts) -> int:
        if facts.online:
            return ALL
        away = distance(need, facts)
        if away is None or need.max_distance_m == 0:
            return 0
        return ALL * max(0, need.max_distance_m - away) // need.max_distance_m

    def words(self, need: Need, facts: PoolFacts, words: Words) -> str:
        if facts.online:
            return "no journey"
        away = distance(need, facts)
        return "where it is is not known" if away is None else miles(away)


class Availability(Factor):
    code, label = "availability", "places"

    def share(self, need: Need, facts: PoolFacts) -> int:
        return place.share(facts)

    def words(self, need: Need, facts: PoolFacts, words: Words) -> str:
        free = f"{facts.free} free"
        return (
            free,
            f"{free}, few left",
            f"{free}, but the figure is getting old",
            f"{free}, assessment first",
            "a waiting list" if facts.wait_days is None else f"a waiting list, about {wait(facts.wait_days)}",
            "not known whether any is free",
            "not accepting",
            "full",
            "closed",
        )[place.place(facts)]

    def better(self, need: Need, facts: PoolFacts, words: Words) -> str:
        match place.place(facts):
            case place.FEW:
                return "if it had more places free"
            case place.AGEING:
                return "if it told its figure again"
            case place.ASSESSMENT:
                return "if it took people without assessing them first"
            case place.LIST if facts.wait_days is None:
                return "once a place is free"
            case place.LIST:
                return f"once a place is free: {on(need.today, facts.wait_days or 0)} by what it says of its list"
            case place.UNKNOWN:
                return "once it says whether a place is free"
        return ""


class Freshness(Factor):
    code, label = "freshness", "how fresh the figure is"

    def share(self, need: Need, facts: PoolFacts) -> int:
        if facts.age_s is None or facts.age_s < -place.SKEW_S or facts.age_s >= facts.expire_s:
            return 0
        return ALL * (facts.expire_s - max(0, facts.age_s)) // facts.expire_s

    def words(self, need: Need, facts: PoolFacts, words: Words) -> str:
        return "never told" if facts.age_s is None else f"told {ago(facts.age_s)}"

    def better(self, need: Need, facts: PoolFacts, words: Words) -> str:
        return "if it told its figure again"


class Known(Factor):
    code, label = "known", "what the service has said"

    def share(self, need: Need, facts: PoolFacts) -> int:
        return ALL * self._stated(need, facts) // need.asked

    def words(self, need: Need, facts: PoolFacts, words: Words) -> str:
        return f"it has answered {self._stated(need, facts)} of {count(need.asked, 'question')} that matter here"

    @staticmethod
    def _stated(need: Need, facts: PoolFacts) -> int:
        return (
            (facts.min_age is not None or facts.max_age is not None)
            + (need.needs & facts.accepts).bit_count()
            + (not need.diagnoses.isdisjoint(facts.conditions_ok or ()))
            + (need.funding != 0 and facts.funding != 0)
            + (need.languages != 0 and facts.languages != 0)
            + (need.source != 0 and facts.sources != 0)
        )

    def better(self, need: Need, facts: PoolFacts, words: Words) -> str:
        return f"if it answered {count(need.asked - self._stated(need, facts), 'question')} more that matter here"


class Preferences(Factor):
    code, label = "preferences", "preferences"

    def share(self, need: Need, facts: PoolFacts) -> int:
        if not need.preferences:
            return ALL
        return ALL * (need.preferences & facts.accepts).bit_count() // need.preferences.bit_count()

    def words(self, need: Need, facts: PoolFacts, words: Words) -> str:
        if not need.preferences:
            return "none given, so every service gets these"
        met = need.preferences & facts.accepts
        return words.names("need", met) if met else "none that it has spoken of"

    def better(self, need: Need, facts: PoolFacts, words: Words) -> str:
        return f"if it offered what was preferred: {words.names('need', need.preferences & ~facts.accepts)}"


class Priority(Factor):
    code, label = "priority", "being taken first"

    def share(self, need: Need, facts: PoolFacts) -> int:
        return ALL if self._masks(need, facts) or self._codes(need, facts) or self._lives_there(need, facts) else 0

    def words(self, need: Need, facts: PoolFacts, words: Words) -> str:
        first = [words.names(taxonomy, mask) for taxonomy, mask in self._masks(need, facts)]
        if codes := self._codes(need, facts):
            first.append(words.coded(codes))
        if first:
            return f"it takes first people with {', '.join(first)}"
        if self._lives_there(need, facts):
            return "it takes first people who live where this person does"
        return "it takes nobody like this person first"

    @staticmethod
    def _lives_there(need: Need, facts: PoolFacts) -> bool:
        return bool(facts.drawn_first) or not set(facts.areas_first or ()).isdisjoint(need.areas)

    @staticmethod
    def _masks(need: Need, facts: PoolFacts) -> list[tuple[str, int]]:
        shared = (
            ("need", facts.prefers & need.has),
            ("funding", facts.funding_first & need.funding),
            ("language", facts.languages_first & need.languages),
            ("referral-source", facts.sources_first & need.source),
        )
        return [(taxonomy, mask) for taxonomy, mask in shared if mask]

    @staticmethod
    def _codes(need: Need, facts: PoolFacts) -> frozenset[str]:
        return need.diagnoses & {*(facts.conditions_first or ())} | {*need.registered} & {*(facts.registered_first or ())}


class Quality(Factor):
    code, label = "quality", "quality"

    def share(self, need: Need, facts: PoolFacts) -> int:
        return QUALITY[facts.cqc_rating or 0]

    def words(self, need: Need, facts: PoolFacts, words: Words) -> str:
        return (
            "not rated by the Care Quality Commission",
            "rated inadequate",
            "rated requires improvement",
            "rated good",
            "rated outstanding",
        )[facts.cqc_rating or 0]

    def better(self, need: Need, facts: PoolFacts, words: Words) -> str:
        return "with a better rating by the Care Quality Commission" if facts.cqc_rating else ""


class Price(Factor):
    code, label = "price", "price"

    def share(self, need: Need, facts: PoolFacts) -> int:
        if need.budget_pence is None:
            return ALL
        if facts.price_pence is None:
            return 0
        if need.budget_pence == 0:
            return ALL if facts.price_pence == 0 else 0
        return ALL * max(0, need.budget_pence - facts.price_pence) // need.budget_pence

    def words(self, need: Need, facts: PoolFacts, words: Words) -> str:
        if need.budget_pence is None:
            return "no budget given, so every service gets these"
        if facts.price_pence is None:
            return "the price is not known"
        return f"{pounds(facts.price_pence)} a week of {pounds(need.budget_pence)}"

    def better(self, need: Need, facts: PoolFacts, words: Words) -> str:
        return "if it said what it costs" if facts.price_pence is None else "if it cost less"


class Assurance(Factor):
    code, label = "assurance", "how lately the record was checked"

    def share(self, need: Need, facts: PoolFacts) -> int:
        if facts.assured_days is None:
            return 0
        return ALL * max(0, ASSURANCE_DAYS - max(0, facts.assured_days)) // ASSURANCE_DAYS

    def words(self, need: Need, facts: PoolFacts, words: Words) -> str:
        return "never checked" if facts.assured_days is None else f"checked {count(max(0, facts.assured_days), 'day')} ago"

    def better(self, need: Need, facts: PoolFacts, words: Words) -> str:
        return "if its record were checked"


class Currency(Factor):
    """A record that nobody has looked at for too long ranks lower, whatever else is good about it."""

    code, label = "currency", "an up-to-date record"

    def share(self, need: Need, facts: PoolFacts) -> int:
        return 0 if is_overdue(need, facts) else ALL

    def words(self, need: Need, facts: PoolFacts, words: Words) -> str:
        if facts.assured_days is None:
            return "its record has never been checked, so it is overdue"
        last = f"its record was last checked {checked(need, facts.assured_days)}"
        return f"{last}, so it is overdue" if is_overdue(need, facts) else last

    def better(self, need: Need, facts: PoolFacts, words: Words) -> str:
        return "if its record were checked"


def is_overdue(need: Need, facts: PoolFacts) -> bool:
    """Was the record checked too long ago, or never?"""
    return facts.assured_days is None or facts.assured_days > need.checked_for_days


def checked(need: Need, days: int) -> str:
    """`"on 3 March"`, with the year when it is another one; for a run that was stored without its day, how long ago."""
    if not need.today:
        return f"{count(days, 'day')} ago"
    today, then = date.fromordinal(need.today), date.fromordinal(need.today - days)
    return f"on {then.day} {then:%B}" if then.year == today.year else f"on {then.day} {then:%B %Y}"


class Marks(Factor):
    """Marks of quality that the searcher wished for. A service without them stays in the list."""

    code, label = "marks", "marks of quality"

    def share(self, need: Need, facts: PoolFacts) -> int:
        return ALL * (need.marks & facts.marks).bit_count() // need.marks.bit_count() if need.marks else ALL

    def words(self, need: Need, facts: PoolFacts, words: Words) -> str:
        if not need.marks:
            return "none wished for, so every service gets these"
        return words.names("mark", need.marks & facts.marks) or "none of those wished for"

    def better(self, need: Need, facts: PoolFacts, words: Words) -> str:
        return f"with {words.names('mark', need.marks & ~facts.marks)}"


class Journey(Factor):
    """Somebody who cannot drive is better off where they are visited or fetched, or need not go."""

    code, label = "journey", "getting there"

    def share(self, need: Need, facts: PoolFacts) -> int:
        return 0 if self._hard(need, facts) else ALL

    def words(self, need: Need, facts: PoolFacts, words: Words) -> str:
        if not need.travels:
            return "no help asked for, so every service gets these"
        if self._hard(need, facts):
            return "the person cannot drive, and it has not said that it visits or fetches people"
        return words.names("need", facts.accepts & need.brings) or "no journeys to make"

    @staticmethod
    def _hard(need: Need, facts: PoolFacts) -> bool:
        return bool(need.travels >> facts.care_type & 1) and not facts.online and not facts.accepts & need.brings

    def better(self, need: Need, facts: PoolFacts, words: Words) -> str:
        return "if it visited or fetched people"


class Travel(Factor):
    """How long the way takes in the person's own way of travelling."""

    code, label = "travel", "travel time"

    def share(self, need: Need, facts: PoolFacts) -> int:
        if journey.no_journey(need, facts):
            return ALL
        taken, longest = journey.taken(need, facts), journey.longest(need)
        return 0 if taken is None or not longest else ALL * max(0, longest - taken) // longest

    def words(self, need: Need, facts: PoolFacts, words: Words) -> str:
        if journey.no_journey(need, facts):
            return "no journey for the person"
        said = journey.words(need, facts)
        return f"{said}, as reckoned from the distance" if said else "how long the way takes is not known"

    def better(self, need: Need, facts: PoolFacts, words: Words) -> str:
        return "if it said where it is" if facts.x is None else ""  # a home that somebody moves into cannot come nearer


class Interests(Factor):
    code, label = "interests", "interests"

    def share(self, need: Need, facts: PoolFacts) -> int:
        if not need.interests:
            return ALL
        return ALL * (need.interests & facts.accepts).bit_count() // need.interests.bit_count()

    def words(self, need: Need, facts: PoolFacts, words: Words) -> str:
        if not need.interests:
            return "none given, so every service gets these"
        return words.names("need", need.interests & facts.accepts) or "none that it has spoken of"

    def better(self, need: Need, facts: PoolFacts, words: Words) -> str:
        return f"if it offered {words.names('need', need.interests & ~facts.accepts)}"


class Times(Factor):
    """Whether it is open at a time that suits. One is enough: nobody goes to a group on each evening of the week."""

    code, label = "times", "times that suit"

    def share(self, need: Need, facts: PoolFacts) -> int:
        if not need.times or need.times & facts.times:
            return ALL
        return 0 if facts.times else TIMES_NOT_SAID

    def words(self, need: Need, facts: PoolFacts, words: Words) -> str:
        if not need.times:
            return "none given, so every service gets these"
        if not facts.times:
            return "when it is open is not known"
        return week.words(need.times & facts.times) or "open at none of them"

    def better(self, need: Need, facts: PoolFacts, words: Words) -> str:
        return f"if it were open {week.words(need.times)}" if facts.times else "if it said when it is open"


class Likelihood(Factor):
    """How likely the service says yes, as learned from its answers and those of its kind; nothing unless that is switched on."""

    code, label = "likelihood", "how likely they say yes"

    def share(self, need: Need, facts: PoolFacts) -> int:
        if not need.chances:
            return 0
        said, away = likelihood.says(facts.status, facts.free), likelihood.steps(distance(need, facts), online=facts.online)
        return likelihood.chance(need.chances, facts.leaning, said, _FRESHNESS.share(need, facts), away)

    def words(self, need: Need, facts: PoolFacts, words: Words) -> str:
        if not need.chances:
            return "not looked at"
        chance = likelihood.in_words(self.share(need, facts))
        if facts.answers < likelihood.FEW_ANSWERS:
            return f"too few answers to say of this service alone; {chance}, as services like it answer"
        return f"said yes to {facts.said_yes} of {count(facts.answers, 'request')} like this; {chance} now"


_FRESHNESS = Freshness()

#: All factors, in the order of `problem.FACTORS`.
FACTORS: tuple[Factor, ...] = (
    Distance(), Availability(), Freshness(), Known(), Preferences(), Priority(), Quality(), Price(), Assurance(), Currency(),
    Marks(), Journey(), Travel(), Interests(), Times(), Likelihood(),
)  # fmt: skip
