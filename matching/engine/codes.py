"""Rules on codes: the diagnoses and guidelines that a service is for or rules out, and where its people must be registered."""

from matching.engine.problem import Need, PoolFacts
from matching.engine.rule import Rule, Verdict
from matching.engine.words import Words


class ConditionsRequired(Rule):
    """One of them is enough. Somebody with a wider diagnosis may have one: that is not known."""

    code, label = "condition-required", "the diagnoses that a service is for"

    def verdict(self, need: Need, facts: PoolFacts) -> Verdict:
        if facts.conditions_in is None:
            return Verdict.NOT_ASKED
        if not need.diagnoses.isdisjoint(facts.conditions_in):
            return Verdict.MET
        may = not need.conditions or not set(need.conditions_under).isdisjoint(facts.conditions_in)
        return Verdict.UNKNOWN if may else Verdict.FAILED

    def sentence(self, need: Need, facts: PoolFacts, words: Words) -> str:
        wanted = facts.conditions_in or ()
        match self.verdict(need, facts):
            case Verdict.MET:
                return f"It is for people with: {words.coded(need.diagnoses.intersection(wanted))}."
            case Verdict.UNKNOWN:
                return f"Not known: it takes only people with one of these; find out: {words.coded(wanted)}."
            case Verdict.FAILED:
                return f"It takes only people with one of: {words.coded(wanted)}."
        return ""

    def change(self, need: Need, facts: PoolFacts, words: Words) -> str:
        return f"It would fit somebody with one of: {words.coded(facts.conditions_in or ())}."


class ConditionsOut(Rule):
    code, label = "condition-excluded", "the diagnoses that services rule out"

    def verdict(self, need: Need, facts: PoolFacts) -> Verdict:
        if facts.conditions_out is None or not need.conditions:
            return Verdict.NOT_ASKED
        if not need.diagnoses.isdisjoint(facts.conditions_out):
            return Verdict.FAILED
        return Verdict.MET if set(need.conditions_under).isdisjoint(facts.conditions_out) else Verdict.UNKNOWN

    def sentence(self, need: Need, facts: PoolFacts, words: Words) -> str:
        match self.verdict(need, facts):
            case Verdict.MET:
                return "It has ruled out none of the diagnoses that you gave."
            case Verdict.UNKNOWN:
                out = set(need.conditions_under).intersection(facts.conditions_out or ())
                return f"Not known: it cannot take people with these; find out: {words.coded(out)}."
            case Verdict.FAILED:
                return f"It cannot take people with: {words.coded(need.diagnoses.intersection(facts.conditions_out or ()))}."
        return ""

    def change(self, need: Need, facts: PoolFacts, words: Words) -> str:
        return f"It would fit without: {words.coded(need.diagnoses.intersection(facts.conditions_out or ()))}."


class Conditions(Rule):
    """Never fails: a diagnosis that the service has not spoken of keeps it in the list, and is said."""

    code, label = "conditions", "diagnoses"

    def _unsaid(self, need: Need, facts: PoolFacts) -> list[str]:
        said = {*(facts.conditions_ok or ()), *(facts.conditions_out or ())}
        return [chain[0] for chain in need.conditions if said.isdisjoint(chain)]

    def verdict(self, need: Need, facts: PoolFacts) -> Verdict:
        if not need.conditions:
            return Verdict.NOT_ASKED
        return Verdict.UNKNOWN if self._unsaid(need, facts) else Verdict.MET

    def sentence(self, need: Need, facts: PoolFacts, words: Words) -> str:
        # Those that the service is for alone are said by the rule above.
        taken = need.diagnoses.intersection(facts.conditions_ok or ()).difference(facts.conditions_in or ())
        says = f"It says that it takes people with: {words.coded(taken)}." if taken else ""
        if self.verdict(need, facts) is Verdict.UNKNOWN:
            return f"Not known: ask about {words.coded(self._unsaid(need, facts))}. {says}".rstrip()
        return says

    def change(self, need: Need, facts: PoolFacts, words: Words) -> str:
        return ""


class Registration(Rule):
    code, label = "registration", "where the person is registered"

    def verdict(self, need: Need, facts: PoolFacts) -> Verdict:
        within, without = facts.registered_in, facts.registered_out
        if within is None and without is None:
            return Verdict.NOT_ASKED
        if not set(need.registered).isdisjoint(without or ()):
            return Verdict.FAILED
        if within is not None:
            if not set(need.registered).isdisjoint(within):
                return Verdict.MET
            # Who is known to be with a practice of which nobody knows the network may be in the network.
            return Verdict.FAILED if _kinds(within) <= need.registered_kinds else Verdict.UNKNOWN
        return Verdict.MET if _kinds(without or ()) <= need.registered_kinds else Verdict.UNKNOWN

    def sentence(self, need: Need, facts: PoolFacts, words: Words) -> str:
        within, without = facts.registered_in or (), facts.registered_out or ()
        limits = f"takes {'only people' if within else 'nobody'} registered with {words.coded(within or without)}"
        match self.verdict(need, facts):
            case Verdict.MET if within:
                return f"Takes people registered with {words.coded(set(need.registered).intersection(within))}."
            case Verdict.MET:
                return "It has not ruled out where the person is registered."
            case Verdict.UNKNOWN:
                return f"Not known: it {limits}; ask where the person is registered."
            case Verdict.FAILED if out := set(need.registered).intersection(without):
                return f"It takes nobody registered with {words.coded(out)}."
            case Verdict.FAILED:
                return f"It {limits}."
        return ""

    def change(self, need: Need, facts: PoolFacts, words: Words) -> str:
        return "It would fit somebody registered elsewhere."


def _kinds(codes: tuple[str, ...]) -> set[str]:
    return {code.partition("|")[0] for code in codes}
