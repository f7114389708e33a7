"""The words that a reply about free places may hold, each with what it does to the meaning.

A word that stands nowhere here, and is no slip of one that does, makes the whole reply unclear: see `capacity.understand`.
"""

import re

#: Words for numbers. Short ones have no slips forgiven: "nine" is one letter from "none".
SMALL = {
    "one": 1, "two": 2, "three": 3, "thre": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
}  # fmt: skip
TEENS = {
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
    "eighteen": 18, "nineteen": 19,
}  # fmt: skip
TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
NUMBERS = SMALL | TEENS | TENS

#: Words for none. Those that cover everything may stand alone; a bare 0 says not of what.
COVERING_ZERO = {"none", "nil", "nothing", "no", "full", "NONE", "FULL"}
ZERO = COVERING_ZERO | {"zero", "nought"}

#: Words that tell one kind of place from another, and what they stand for.
KINDS: dict[str, frozenset[str]] = {
    word: frozenset(meaning.split())
    for words, meaning in (
        ("general gen genral", "general"), ("residential res resi resid", "residential"), ("nursing nurs", "nursing"),
        ("dementia dem emi dementias", "dementia"), ("learning", "learning"), ("disability disabilities", "disability"),
        ("ld", "learning disability"), ("mental", "mental"), ("health", "health"), ("mh", "mental health"),
        ("transitional trans d2a D2A", "transitional"), ("young", "young"), ("physically physical", "physically"), ("disabled", "disabled"),
        ("ypd", "young physically disabled"), ("gr", "general residential"), ("gn", "general nursing"), ("dr", "dementia residential"),
        ("dn", "dementia nursing"), ("respite", "respite"), ("palliative", "palliative"), ("hospice", "hospice"),
        ("female females ladies lady women woman", "female"), ("male males men gentlemen gents", "male"),
        ("bed beds", "bed"), ("hour hours hr hrs", "hour"), ("visit visits", "visit"), ("session sessions", "session"),
        ("package packages", "package"), ("LIVEIN", "livein"),
    )
    for word in words.split()
}  # fmt: skip
#: Words for a place of any kind: they tell nothing apart.
UNITS = {
    "place", "places", "vacancy", "vacancies", "vacancys", "space", "spaces", "slot", "slots", "room", "rooms", "availability", "capacity",
    "category", "categories",
}  # fmt: skip
#: One of these before a figure makes it a name: room 12.
NUMBERED = {"bed", "room", "rm", "place", "space", "slot", "unit", "side", "floor", "ward"}
ALL = {"all", "any", "everywhere"}
#: Say that the places are free; "a bed" is one bed where one of these stands too.
FREE = {"free", "available", "vacant", "empty", "open", "spare"}
#: Change nothing whatever else is said.
HARMLESS = FREE | {
    "hi", "hello", "hey", "hiya", "morning", "afternoon", "evening", "good", "dear", "thanks", "thank", "you", "ta", "cheers", "please",
    "kind", "regards", "best", "wishes", "many", "we", "i", "have", "has", "got", "there", "is", "are", "am", "it", "currently", "now",
    "today", "present", "sorry", "afraid", "yes", "yep", "still", "just", "only", "our", "of", "the", "in", "on", "for", "your", "left",
    "total", "altogether", "update", "here", "lune", "unit", "side", "also", "ok", "okay", "unfortunately", "DROP",
}  # fmt: skip
#: May tell how many there are, free or not.
TOTAL = {"total", "altogether"}
#: Begin a question, with or without its mark.
ASKING = {"is", "are", "do", "does", "did", "can", "could", "will", "who", "what", "why", "how", "when", "where", "which", "was"}
#: Between two statements.
BREAKS = {",", ".", ";", "\n", "!", "|", "and", "&", "plus", "but", "with"}
CONNECTORS = {":", "=", "-"}

#: Words that are known and that change the meaning in a way which a figure cannot hold, by what is asked back.
UNSURE = {
    "maybe", "possibly", "probably", "perhaps", "think", "might", "about", "approx", "approximately", "around", "roughly", "nearly",
    "almost", "ish", "hopefully", "could", "should", "hope", "guess", "max", "maximum", "least", "couple", "few", "several", "some", "lots",
    "plenty", "unsure", "or", "to",
}  # fmt: skip
LATER = {
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "mon", "tue", "tues", "wed", "thu", "thur", "thurs",
    "fri", "sat", "sun", "tomorrow", "tonight", "yesterday", "week", "weeks", "weekend", "month", "months", "day", "days", "next", "soon",
    "later", "until", "till", "after", "before", "will", "going", "january", "february", "march", "april", "may", "june", "july",
    "august", "september", "october", "november", "december", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct",
    "nov", "dec", "was", "were", "had", "last", "from", "as", "once", "when", "becoming", "coming",
}  # fmt: skip
CONDITION = {
    "not", "never", "without", "unless", "if", "except", "subject", "assessment", "held", "hold", "holding", "reserved", "pending",
    "waiting", "outbreak", "covid", "norovirus", "closed", "closing", "suspended", "only-if", "taken", "occupied", "gone", "filled",
    "booked", "let", "shared", "ensuite", "apart", "because", "however", "although", "cannot", "cant", "dont", "wont", "isnt", "arent",
    "havent", "hasnt", "ps", "viewing", "respite-only", "stop", "stopped", "more", "less", "extra", "another", "fewer", "first", "second",
    "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "off", "out", "used", "broken", "longer", "other", "others",
    "both", "placed", "share", "sharing", "mornings", "afternoons", "evenings", "nights", "overnight",
}  # fmt: skip

#: A name made of these alone is heard as what they mean.
MEANING = {*NUMBERS, *ZERO, *KINDS, *UNITS, *HARMLESS, *UNSURE, *LATER, *CONDITION, *BREAKS, *ALL, *map(str, range(1_000))}

#: Given names that may open or close a message. A name anywhere else makes it unclear: the place may be kept for that person.
_NAMES = """
abdul adam adele aisha alan alex alice alison amanda amina amy andrea andrew andy angela anita ann anna anne annie anthony barbara becky
ben bernadette beth bev beverley bob brenda brian carly carol caroline catherine cath charlotte cheryl chloe chris christine claire clare
colin dan daniel danielle dave david dawn deb debbie deborah denise diane donna doreen dorothy eileen elaine eleanor elizabeth ella ellie
emily emma fatima faye fiona frances gail gary gemma george georgia gill gillian gina glen graham hannah harry hayley hazel heather helen
holly ian irene jack jackie jacqui jade james jane janet janice jasmine jayne jean jen jenna jennifer jenny jess jessica jill jo joan
joanna joanne joe john jordan josie joyce judith judy julia julie karen karl kate kath kathleen kathryn kathy katie kay kaye keith
kelly ken kerry kev kevin kim kirsty laura lauren leah lee leanne lesley liam linda lindsay lisa liz lorraine louise lucy lynn lynne maggie
mandy margaret maria marie marion mark martin mary matt maureen megan mel melanie michael michelle mick mike mohammed molly nadia naomi
natalie natasha neil nick nicky nicola nigel nina olivia pam pat patricia paul paula pauline pete peter phil philip pippa priya rachael
rachel ray rebecca richard rita rob robert ros ruth ryan sally sam samantha sandra sara sarah sean shamim sharon sheila shirley simon
sophie stacey steph stephanie stephen steve stuart sue susan suzanne sylvia tanya teresa terry tina tom tony tracey tracy trish val
valerie vanessa vera vicki vicky victoria wendy yasmin yvonne zoe
"""
NAME = f"(?:{'|'.join(_NAMES.split())})"

_SHORT = r"(?:do not|dont|have not|havent|did not|not)"
#: Turns of phrase that mean one thing, longest first: what is written, and the word that is read instead.
PHRASES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.M), word)
    for pattern, word in (
        (r"\bhave a (?:nice|good|great|lovely) (?:day|weekend|evening|week|one)\b", " DROP "),
        (r"\b(?:in|for|on|of) any (?:category|type|kind|unit|area)s?\b", " DROP "),
        (r"\bat (?:the|this) (?:moment|time|minute)\b|\bat present\b|\bright now\b", " DROP "),
        (r"\bas (?:of|at|from) (?:today|now|this morning)\b|\bthis morning\b(?=\s*(?:[.!,:]|$))", " DROP "),
        (r"\b(?:i am|im) afraid\b|\bsorry to say\b", " DROP "),
        (r"\b(?:we )?(?:can|able to) (?:take|offer|admit)\b", " DROP "),
        (r"\b(?:any|if any) (?:questions|queries|problems)(?: please)? (?:ring|call|phone|text)(?: me| us)?(?: on)? TEL\b", " DROP "),
        (r"\bsent from (?:my |outlook for )?(?:iphone|ipad|android|samsung|mobile|phone|ios|galaxy|huawei)\b[^\n]*", " DROP "),
        (r"\b(?:there (?:is|are|has been|have been) |it is |all )?no changes?\b(?: (?:to report|from us|here))?", " SAME "),
        (r"\b(?:nothing|it) (?:has |is )?(?:not )?changed\b|\b(?:has not|hasnt|have not|havent|not) changed\b|\bunchanged\b", " SAME "),
        (r"\bboth (?:are )?(?:still )?(?:the )?same\b", " BOTH SAME "),
        (r"\b(?:it is |we are )?(?:all |still |exactly |just )*(?:the )?same(?: again| as before| as last time| as it was)?\b", " SAME "),
        (r"\b(?:still )?as before\b|\bditto\b|\bno difference\b", " SAME "),
        (rf"\b{_SHORT}(?: currently)?(?: have| got)? (?:any|a single one)\b", " no "),
        (r"\bno more\b(?= \w)", " no "),
        (r"\b(?:fully|completely|totally|all) (?:booked|occupied|full)(?: up)?\b|\bfull up\b|\bat (?:full )?capacity\b", " FULL "),
        (r"\b(?:the )?(?:rest|others|other ones|remainder|everything else|all others|all the rest)(?: are| is)?\b|\botherwise\b", " REST "),
        (r"\bboth (?:are |now |have |been |has )*(?:taken|gone|filled|occupied|used)\b", " BOTHTAKEN "),
        (r"\ball (?:are |now |have |been |has )*(?:taken|gone|filled|occupied)\b", " FULL "),
        (r"\bboth (?:are |now )*(?:full|FULL)\b", " BOTH FULL "),
        (r"\b(?:on|in|for|at) both\b", " BOTH "),
        (r"\bdischarge to assess\b", " D2A "),
        (r"\blive[ -]in\b", " LIVEIN "),
        (r"\bminus\b", " LESS "),
    )
)
#: Whole messages that end the messages.
STOP_FIRST = {"stop", "stopall", "unsubscribe"}
STOP_ALONE = STOP_FIRST | {"end", "quit", "cancel", "optout"}
STOP_WORDS = STOP_ALONE | {
    "please", "texting", "messaging", "sending", "emailing", "contacting", "asking", "me", "us", "these", "this", "messages", "texts",
    "emails", "message", "text", "all", "now", "thanks", "thank", "you", "the", "out", "opt", "no", "more",
}  # fmt: skip
