"""Rules on lists that a service gives: who pays, languages, who may refer.

*Accepts* is a list of what is taken: of somebody of whom nothing was said, nothing is asked. *Required* is a condition: a person must have
one of these, whatever else the service takes, and of whom nothing was said it is not known.
"""

from abc import abstractmethod

from matching.engine.problem import Need, PoolFacts
from matching.engine.rule import Rule, Verdict
from matching.engine.words import Words


class _Listed(Rule):
    """Something asked for against a list that the service gives: any of them will do; no list is unknown."""

    taxonomy: str
    takes: str
    refuses: str
    wants: str
    not_these: str
    ask: str
    changes: str
    other: str

    @abstractmethod
    def asked(self, need: Need) -> int:
        """The person's own, as a mask."""

    @abstractmethod
    def stated(self, facts: PoolFacts) -> int:
        """What the service says that it takes, as a mask; 0: it has not said."""

    @abstractmethod
    def required(self, facts: PoolFacts) -> int:
        """What the service says that a person must have one of, as a mask."""

    @abstractmethod
    def ruled_out(self, facts: PoolFacts) -> int:
        """What the service says that it does not take, as a mask."""

    def _all_out(self, need: Need, facts: PoolFacts) -> bool:
        return not self.asked(need) & ~self.ruled_out(facts)

    def _fitting(self, facts: PoolFacts) -> int:
        """What a person must have one of: what is required, or else what is taken."""
        return self.required(facts) or self.stated(facts)

    def verdict(self, need: Need, facts: PoolFacts) -> Verdict:
        if not self.asked(need):
            return Verdict.UNKNOWN if self.required(facts) else Verdict.NOT_ASKED
        if self._all_out(need, facts):
            return Verdict.FAILED
        if not self.stated(facts):
            return Verdict.UNKNOWN
        return Verdict.MET if self.asked(need) & self._fitting(facts) else Verdict.FAILED

    def sentence(self, need: Need, facts: PoolFacts, words: Words) -> str:
        match self.verdict(need, facts):
            case Verdict.MET:
                return f"{self.takes}: {words.names(self.taxonomy, self.asked(need) & self.stated(facts))}."
            case Verdict.UNKNOWN if self.required(facts):
                return f"Not known: {self.wants} {words.names(self.taxonomy, self.required(facts))}; find out."
            case Verdict.UNKNOWN:
                return f"Not known: ask {self.ask} ({words.names(self.taxonomy, self.asked(need))})."
            case Verdict.FAILED if self._all_out(need, facts):
                return f"{self.not_these}: {words.names(self.taxonomy, self.asked(need))}."
            case Verdict.FAILED:
                return f"{self.refuses}: {words.names(self.taxonomy, self._fitting(facts))}."
        return ""

    def change(self, need: Need, facts: PoolFacts, words: Words) -> str:
        if not self.stated(facts):
            return f"{self.changes} {self.other}."
        return f"{self.changes}: {words.names(self.taxonomy, self._fitting(facts))}."


class Funding(_Listed):
    code, label, taxonomy = "funding", "funding", "funding"
    takes, refuses, ask = "Takes this funding", "It takes only this funding", "how it can be paid for"
    wants = "it takes only people paid for by"
    not_these, changes, other = "It does not take this funding", "It would fit if it were paid for by", "somebody else"

    def asked(self, need: Need) -> int:
        return need.funding

    def stated(self, facts: PoolFacts) -> int:
        return facts.funding

    def required(self, facts: PoolFacts) -> int:
        return facts.funding_must

    def ruled_out(self, facts: PoolFacts) -> int:
        return facts.funding_out


class Language(_Listed):
    code, label, taxonomy = "language", "language", "language"
    takes, refuses, ask = "Speaks", "It works only in", "which languages it works in"
    wants = "it takes only people who speak"
    not_these, changes, other = "It cannot work in", "It would fit somebody who speaks", "another language"

    def asked(self, need: Need) -> int:
        return need.languages

    def stated(self, facts: PoolFacts) -> int:
        return facts.languages

    def required(self, facts: PoolFacts) -> int:
        return facts.languages_must

    def ruled_out(self, facts: PoolFacts) -> int:
        return facts.languages_out


class Source(_Listed):
    code, label, taxonomy = "referral-source", "who may refer", "referral-source"
    takes, refuses, ask = "Takes referrals from", "It takes referrals only from", "whether it takes referrals from you"
    wants = "it takes only people referred by"
    not_these, changes, other = "It takes no referrals from", "It would fit if the referral came from", "somebody else"

    def asked(self, need: Need) -> int:
        return need.source

    def stated(self, facts: PoolFacts) -> int:
        return facts.sources

    def required(self, facts: PoolFacts) -> int:
        return facts.sources_must

    def ruled_out(self, facts: PoolFacts) -> int:
        return facts.sources_out
