"""The hard rules. One class each: its verdict from the numbers, its sentence, and what would change it.

A failed rule takes a service out of the list; an unknown one never does.
"""

from matching.engine import place
from matching.engine.codes import Conditions, ConditionsOut, ConditionsRequired, Registration
from matching.engine.journey import TravelTime
from matching.engine.lists import Funding, Language, Source
from matching.engine.problem import (
    ANY_SEX,
    FEMALE,
    FEMALE_ONLY,
    MALE,
    MALE_ONLY,
    NO_LIMIT,
    NOBODY,
    SEX_NOT_STATED,
    Need,
    PoolFacts,
    distance,
)
from matching.engine.rule import Rule, Verdict
from matching.engine.words import Words, ago, count, miles, on, pounds, wait


class CareType(Rule):
    code, label = "care-type", "the kind of service"

    def verdict(self, need: Need, facts: PoolFacts) -> Verdict:
        return Verdict.MET if need.care_types >> facts.care_type & 1 else Verdict.FAILED

    def sentence(self, need: Need, facts: PoolFacts, words: Words) -> str:
        name = words.name("care-type", facts.care_type)
        return f"{name}." if self.verdict(need, facts) is Verdict.MET else f"It is another kind of service: {name}."

    def change(self, need: Need, facts: PoolFacts, words: Words) -> str:
        return f"It would fit if you searched for “{words.name('care-type', facts.care_type)}” as well."


class Open(Rule):
    code, label = "open", "being open"

    def verdict(self, need: Need, facts: PoolFacts) -> Verdict:
        return Verdict.MET if facts.is_open and not facts.has_begun else Verdict.FAILED

    def sentence(self, need: Need, facts: PoolFacts, words: Words) -> str:
        if facts.has_begun:
            return "This session has begun."
        return "Open." if facts.is_open else "It is closed, or not in use now."

    def change(self, need: Need, facts: PoolFacts, words: Words) -> str:
        if facts.has_begun:
            return "Another session of it may have a place."
        return "It would fit once the service opens these places again."


class Age(Rule):
    code, label = "age", "age"

    def verdict(self, need: Need, facts: PoolFacts) -> Verdict:
        if facts.min_age is None and facts.max_age is None:
            return Verdict.UNKNOWN
        low, high = facts.min_age or 0, need.age if facts.max_age is None else facts.max_age
        return Verdict.MET if low <= need.age <= high else Verdict.FAILED

    def sentence(self, need: Need, facts: PoolFacts, words: Words) -> str:
        match self.verdict(need, facts):
            case Verdict.UNKNOWN:
                return f"Not known: ask about age ({need.age})."
            case Verdict.MET:
                return f"Takes people {self._range(facts)}."
        return f"It takes people {self._range(facts)}; this person is {need.age}."

    def change(self, need: Need, facts: PoolFacts, words: Words) -> str:
        fits = facts.min_age if facts.min_age is not None and need.age < facts.min_age else facts.max_age
        return f"It would fit at {fits}; this person is {need.age}."

    @staticmethod
    def _range(facts: PoolFacts) -> str:
        if facts.max_age is None:
            return f"aged {facts.min_age} and over" if facts.min_age else "of any age"
        if facts.min_age is None:
            return f"aged up to {facts.max_age}"
        return f"aged {facts.min_age} to {facts.max_age}"


class Sex(Rule):
    code, label = "sex", "women-only or men-only places"

    def verdict(self, need: Need, facts: PoolFacts) -> Verdict:
        if facts.sex == ANY_SEX:
            return Verdict.MET
        if facts.sex == SEX_NOT_STATED:
            return Verdict.NOT_ASKED
        if need.sex not in (FEMALE, MALE):
            return Verdict.UNKNOWN
        return Verdict.MET if (need.sex, facts.sex) in ((FEMALE, FEMALE_ONLY), (MALE, MALE_ONLY)) else Verdict.FAILED

    def sentence(self, need: Need, facts: PoolFacts, words: Words) -> str:
        if facts.sex == SEX_NOT_STATED:
            return ""
        if facts.sex == NOBODY:
            return "It says women only in one place and men only in another: ring before you refer."
        whom = {FEMALE_ONLY: "women only", MALE_ONLY: "men only", ANY_SEX: "people of any sex"}[facts.sex]
        if self.verdict(need, facts) is Verdict.UNKNOWN:
            return f"Not known: it takes {whom}; ask before you refer."
        return f"It takes {whom}."

    def change(self, need: Need, facts: PoolFacts, words: Words) -> str:
        if facts.sex == NOBODY:
            return "Nothing in this search: the service must put its entry right."
        return "Nothing in this search: these places are for " + ("women." if facts.sex == FEMALE_ONLY else "men.")


class Required(Rule):
    code, label = "required", "whom the service is for"

    def _lacking(self, need: Need, facts: PoolFacts) -> int:
        return facts.requires & ~need.has

    def verdict(self, need: Need, facts: PoolFacts) -> Verdict:
        if not facts.requires:
            return Verdict.NOT_ASKED
        return Verdict.FAILED if self._lacking(need, facts) else Verdict.MET

    def sentence(self, need: Need, facts: PoolFacts, words: Words) -> str:
        match self.verdict(need, facts):
            case Verdict.MET:
                return f"It is for people with: {words.names('need', facts.requires)}."
            case Verdict.FAILED:
                return f"It takes only people with: {words.names('need', facts.requires)}."
        return ""

    def change(self, need: Need, facts: PoolFacts, words: Words) -> str:
        return f"It would fit if this were so of the person: {words.names('need', self._lacking(need, facts))}."


class Excluded(Rule):
    code, label = "excluded", "needs that services cannot meet"

    def verdict(self, need: Need, facts: PoolFacts) -> Verdict:
        if not facts.excludes or not need.has:
            return Verdict.NOT_ASKED
        return Verdict.FAILED if facts.excludes & need.has else Verdict.MET

    def sentence(self, need: Need, facts: PoolFacts, words: Words) -> str:
        match self.verdict(need, facts):
            case Verdict.MET:
                return "It has ruled out nothing that you asked for."
            case Verdict.FAILED:
                return f"It cannot take people with: {words.names('need', facts.excludes & need.has)}."
        return ""

    def change(self, need: Need, facts: PoolFacts, words: Words) -> str:
        return f"It would fit without: {words.names('need', facts.excludes & need.has)}."


class MustHaves(Rule):
    code, label = "must-have", "the must-haves"

    def verdict(self, need: Need, facts: PoolFacts) -> Verdict:
        if not need.must_haves:
            return Verdict.NOT_ASKED
        return Verdict.FAILED if need.must_haves & ~facts.accepts else Verdict.MET

    def sentence(self, need: Need, facts: PoolFacts, words: Words) -> str:
        match self.verdict(need, facts):
            case Verdict.MET:
                return f"Says that it can meet what you must have: {words.names('need', need.must_haves)}."
            case Verdict.FAILED:
                return f"It has not said that it can meet: {words.names('need', need.must_haves & ~facts.accepts)}."
        return ""

    def change(self, need: Need, facts: PoolFacts, words: Words) -> str:
        lacking = words.names("need", need.must_haves & ~facts.accepts)
        return f"It would fit if this were a need to ask about and not a must-have: {lacking}."


class Needs(Rule):
    """Never fails: a need that the service has not spoken of keeps it in the list, and is said."""

    code, label = "needs", "needs"

    def verdict(self, need: Need, facts: PoolFacts) -> Verdict:
        if not need.needs:
            return Verdict.NOT_ASKED
        return Verdict.UNKNOWN if need.needs & ~facts.accepts & ~facts.excludes else Verdict.MET

    def sentence(self, need: Need, facts: PoolFacts, words: Words) -> str:
        match self.verdict(need, facts):
            case Verdict.MET if need.needs & facts.accepts:
                return f"Says that it can meet: {words.names('need', need.needs & facts.accepts)}."
            case Verdict.UNKNOWN:
                asks = f"Not known: ask about {words.names('need', need.needs & ~facts.accepts & ~facts.excludes)}."
                met = need.needs & facts.accepts
                return f"{asks} It says that it can meet: {words.names('need', met)}." if met else asks
        return ""

    def change(self, need: Need, facts: PoolFacts, words: Words) -> str:
        return ""


class Budget(Rule):
    code, label = "budget", "the budget"

    def verdict(self, need: Need, facts: PoolFacts) -> Verdict:
        if need.budget_pence is None:
            return Verdict.NOT_ASKED
        if facts.price_pence is None:
            return Verdict.UNKNOWN
        return Verdict.MET if facts.price_pence <= need.budget_pence else Verdict.FAILED

    def sentence(self, need: Need, facts: PoolFacts, words: Words) -> str:
        if need.budget_pence is None:
            return ""
        if facts.price_pence is None:
            return "Not known: ask what it costs."
        if facts.price_pence == 0:
            return "Free."
        within = "within" if facts.price_pence <= need.budget_pence else "more than"
        return f"Usually {pounds(facts.price_pence)} a week, {within} the budget of {pounds(need.budget_pence)}."

    def change(self, need: Need, facts: PoolFacts, words: Words) -> str:
        return f"It would fit with {pounds((facts.price_pence or 0) - (need.budget_pence or 0))} more a week."


class Area(Rule):
    code, label = "area", "where the person lives"

    def _ruled_out(self, need: Need, facts: PoolFacts) -> bool:
        return bool(facts.drawn_out) or not set(facts.areas_out or ()).isdisjoint(need.areas)

    def verdict(self, need: Need, facts: PoolFacts) -> Verdict:
        if not facts.limited and facts.areas_out is None and facts.drawn_out is None:
            return Verdict.NOT_ASKED
        if self._ruled_out(need, facts):
            return Verdict.FAILED
        inside = not facts.limited or facts.in_extent or bool(set(facts.area_ids or ()) & set(need.areas))
        return Verdict.MET if inside else Verdict.FAILED

    def sentence(self, need: Need, facts: PoolFacts, words: Words) -> str:
        match self.verdict(need, facts):
            case Verdict.MET if facts.limited:
                return "Serves the area where the person lives."
            case Verdict.MET:
                return "It has not ruled out where the person lives."
            case Verdict.FAILED if self._ruled_out(need, facts):
                return "It takes nobody who lives where this person does."
            case Verdict.FAILED:
                return "It takes only people who live in certain areas, and this person does not."
        return ""

    def change(self, need: Need, facts: PoolFacts, words: Words) -> str:
        return "It would fit if the service widened its area."


class Catchment(Rule):
    code, label = "catchment", "how far services reach"

    def verdict(self, need: Need, facts: PoolFacts) -> Verdict:
        if facts.catchment_m == NO_LIMIT:
            return Verdict.NOT_ASKED
        away = distance(need, facts)
        if away is None:
            return Verdict.UNKNOWN
        return Verdict.MET if away <= facts.catchment_m else Verdict.FAILED

    def sentence(self, need: Need, facts: PoolFacts, words: Words) -> str:
        match self.verdict(need, facts):
            case Verdict.MET:
                return f"Reaches people within {miles(facts.catchment_m)}."
            case Verdict.UNKNOWN:
                return f"Not known: it reaches people within {miles(facts.catchment_m)}, but has not said of where."
            case Verdict.FAILED:
                return (
                    f"It reaches only people within {miles(facts.catchment_m)}; this person lives {miles(distance(need, facts) or 0)} away."
                )
        return ""

    def change(self, need: Need, facts: PoolFacts, words: Words) -> str:
        return f"It would fit if the service reached {miles((distance(need, facts) or 0) - facts.catchment_m)} further."


class Distance(Rule):
    code, label = "distance", "the farthest distance"

    def verdict(self, need: Need, facts: PoolFacts) -> Verdict:
        if facts.online:
            return Verdict.MET
        away = distance(need, facts)
        if away is None:
            # A service without a place on the map is near enough only if it names the areas that it serves.
            return Verdict.UNKNOWN if facts.limited else Verdict.FAILED
        return Verdict.MET if away <= need.max_distance_m else Verdict.FAILED

    def sentence(self, need: Need, facts: PoolFacts, words: Words) -> str:
        if facts.online:
            return "Online or by phone: no journey."
        away = distance(need, facts)
        if away is None:
            return "Not known: it has not said where it is." if facts.limited else "It has not said where it is or which area it serves."
        limit = miles(need.max_distance_m)
        if away <= need.max_distance_m:
            return f"{miles(away).capitalize()} away, within {limit}."
        return f"It is {miles(away)} away; the farthest you gave is {limit}."

    def change(self, need: Need, facts: PoolFacts, words: Words) -> str:
        away = distance(need, facts)
        return "It would fit once it says where it is." if away is None else f"It would fit if {miles(away)} were not too far."


class Place(Rule):
    code, label = "place", "a free place"

    def verdict(self, need: Need, facts: PoolFacts) -> Verdict:
        state = place.place(facts)
        if state == place.CLOSED:
            return Verdict.NOT_ASKED  # the rule `open` says so
        if state == place.UNKNOWN:
            return Verdict.UNKNOWN
        if state in place.RED or (state == place.LIST and not place.joins(need, facts)):
            return Verdict.FAILED
        return Verdict.MET

    def sentence(self, need: Need, facts: PoolFacts, words: Words) -> str:
        told = "" if facts.age_s is None else f", told {ago(facts.age_s)}"
        free = count(facts.free or 0, "place")
        match place.place(facts):
            case place.UNKNOWN if facts.age_s is None:
                return "Not known: nobody has told us whether a place is free. Ask first."
            case place.UNKNOWN if facts.age_s is not None and facts.age_s < -place.SKEW_S:
                return "Not known: the figure carries a time that has not come yet. Ask first."
            case place.UNKNOWN:
                return f"Not known: the last figure cannot be relied on{told}. Ask first."
            case place.REFUSING:
                return f"It says that it takes nobody now{told}."
            case place.FULL:
                return f"No place is free{told}."
            case place.LIST:
                long = "" if facts.wait_days is None else f" of about {wait(facts.wait_days)}"
                if place.joins(need, facts):
                    return f"Has a waiting list{long} that can be joined{told}."
                return f"It has only a waiting list{long}{told}, and the date needed is too near for that."
            case place.ASSESSMENT:
                return f"{free} free{told}; the service assesses people before it says yes."
            case place.AGEING:
                return f"{free} free{told}: the figure is getting old, check first."
            case place.CLOSED:
                return ""
        return f"{free} free{told}."

    def change(self, need: Need, facts: PoolFacts, words: Words) -> str:
        if place.place(facts) == place.LIST:
            if facts.wait_days is None:
                return "It would fit if the person could wait."
            return f"By what it says of its list, a place is free {on(need.today, facts.wait_days)}: it would fit if that were soon enough."
        return "It would fit once the service says that a place is free."


#: All rules, in the order in which they are said.
RULES: tuple[Rule, ...] = (
    CareType(), Open(), Place(), Distance(), TravelTime(), Catchment(), Area(), Age(), Sex(), Required(), Excluded(), MustHaves(), Needs(),
    ConditionsRequired(), ConditionsOut(), Conditions(), Registration(), Funding(), Budget(), Language(), Source(),
)  # fmt: skip
