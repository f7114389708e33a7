"""Judging rows, compiled: the rules and factors of `matching.engine` over the packed arrays, one row after the other.

It is the third telling of the same decision, after `engine.check` (the specification) and `matching.queries` (the truth about what is
stored). A differential test holds all three together. Whole-number division is of numbers that are never negative.
"""

import numpy as np

from matching.compiling import bare
from matching.engine import likelihood
from matching.snapshot.layout import (
    CODED,
    EXTENT,
    HIGHEST,
    I_ASSURED,
    I_CATCHMENT,
    I_EXPIRE,
    I_FREE,
    I_FRESH,
    I_MAXIMUM,
    I_PRICE,
    I_SAID,
    I_TIMES,
    I_WAIT,
    L_AREAS,
    L_AREAS_FIRST,
    L_AREAS_OUT,
    L_CONDITIONS_FIRST,
    L_CONDITIONS_IN,
    L_CONDITIONS_OK,
    L_CONDITIONS_OUT,
    L_REGISTERED_FIRST,
    L_REGISTERED_IN,
    L_REGISTERED_OUT,
    LIMITED,
    LOWEST,
    NEVER,
    NONE,
    ONLINE,
    R_DRAWER,
    R_DRAWN,
    R_FUNDING_FIRST,
    R_FUNDING_MUST,
    R_FUNDING_OUT,
    R_LANGUAGES_FIRST,
    R_LANGUAGES_MUST,
    R_LANGUAGES_OUT,
    R_MARK,
    R_OWN_ACCEPTS,
    R_OWN_EXCLUDES,
    R_OWN_PREFERS,
    R_OWN_REQUIRES,
    R_SOURCES_FIRST,
    R_SOURCES_MUST,
    R_SOURCES_OUT,
    S_CQC,
    S_FLAGS,
    S_KIND,
    S_LEANING,
    S_MAX_AGE,
    S_MIN_AGE,
    S_SEX,
    S_STATUS,
    W_ACCEPTS,
    W_EXCLUDES,
    W_FUNDING,
    W_LANGUAGES,
    W_PREFERS,
    W_REPORTED,
    W_REQUIRES,
    W_SOURCES,
)

#: What is asked, as one array of 64-bit numbers. Masks of needs have two words.
(
    A_AGE, A_SEX, A_X, A_Y, A_MAX_DISTANCE, A_NEEDS, A_OWN_NEEDS, A_HAS, A_OWN_HAS, A_MUST_HAVES, A_OWN_MUST_HAVES, A_PREFERENCES,
    A_OWN_PREFERENCES, A_PREFERRED, A_ASKED, A_LANGUAGES, A_FUNDING, A_SOURCE, A_BUDGET, A_JOINS_LISTS, A_DAYS, A_TODAY, A_CHECKED_SINCE,
    A_MARKS, A_WISHED, A_TRAVELS, A_BRINGS, A_OWN_BRINGS, A_AT, A_DIAGNOSED,
    A_FOOT_START, A_FOOT_PACE, A_START, A_PACE, A_FARTHEST, A_LONGEST, A_COMES, A_VISITS, A_OWN_VISITS, A_INTERESTS, A_OWN_INTERESTS,
    A_INTERESTED, A_TIMES,
    A_W_DISTANCE, A_W_AVAILABILITY, A_W_FRESHNESS, A_W_KNOWN, A_W_PREFERENCES, A_W_PRIORITY, A_W_QUALITY, A_W_PRICE, A_W_ASSURANCE,
    A_W_CURRENCY, A_W_MARKS, A_W_JOURNEY, A_W_TRAVEL, A_W_INTERESTS, A_W_TIMES,
    A_W_LIKELIHOOD,
) = range(59)  # fmt: skip
#: After these come the numbers of `matching.engine.likelihood`, if any.
ASKED = 59
#: What it is made of, as the compiler needs it: constants of this module.
STEPS, FARTHEST, LINE = likelihood.STEPS, likelihood.FARTHEST, likelihood.LINE
FREE, ASSESSMENT, LIST, NOTHING = likelihood.FREE, likelihood.ASSESSMENT, likelihood.LIST, likelihood.NOTHING
L_USUAL, L_DAY, L_SAID, L_FRESH, L_STEP, L_NO_JOURNEY, L_TABLE = (
    ASKED + place
    for place in (
        likelihood.USUAL, likelihood.DAY, likelihood.SAID, likelihood.FRESH, likelihood.STEP, likelihood.NO_JOURNEY, likelihood.TABLE,
    )
)  # fmt: skip
#: A minute, in thousandths of a second.
MINUTE = 60_000
#: Bits of what is said of each code: the person has it, may have it, is registered there, or it is known that the person is not.
HAS, MAY, REGISTERED, KNOWN = 1, 2, 4, 8
#: Bits of what is said of each service that drew areas by hand: the person lives in one that it is for, rules out, takes first.
INSIDE, RULED_OUT, FIRST = 1, 2, 4
#: Not a candidate: not in reach, and in reach but refused.
AWAY, REFUSED = -2, -1
SECOND = 1_000_000


@bare
def _bits(mask):
    mask = mask - ((mask >> 1) & 0x5555555555555555)
    mask = (mask & 0x3333333333333333) + ((mask >> 2) & 0x3333333333333333)
    mask = (mask + (mask >> 4)) & 0x0F0F0F0F0F0F0F0F
    mask = mask + (mask >> 8)
    mask = mask + (mask >> 16)
    return (mask + (mask >> 32)) & 0x7F


@bare
def _any(items, spans, line, which, said, bit):
    """Is one of this list of codes marked with the bit?"""
    for place in range(spans[line, which], spans[line, which + 1]):  # noqa: SIM110 – compiled as it stands
        if said[items[place]] & bit:
            return True
    return False


@bare
def _lives(items, spans, line, which, areas):
    """Is one of this list of areas the person's?"""
    for place in range(spans[line, which], spans[line, which + 1]):
        for area in areas:
            if items[place] == area:
                return True
    return False


@bare
def _coded_fits(line, rare, spans, items, said, areas, lives, asked):
    """The rules on what few services say."""
    if asked[A_DIAGNOSED]:
        if spans[line, L_CONDITIONS_IN] < spans[line, L_CONDITIONS_IN + 1] and not _any(items, spans, line, L_CONDITIONS_IN, said, MAY):
            return False
        if _any(items, spans, line, L_CONDITIONS_OUT, said, HAS):
            return False
    if _any(items, spans, line, L_REGISTERED_OUT, said, REGISTERED):
        return False
    if spans[line, L_REGISTERED_IN] < spans[line, L_REGISTERED_IN + 1]:
        open_question = False
        for place in range(spans[line, L_REGISTERED_IN], spans[line, L_REGISTERED_IN + 1]):
            of_code = said[items[place]]
            if of_code & REGISTERED or not of_code & KNOWN:
                open_question = True
                break
        if not open_question:
            return False
    funding, languages, source = asked[A_FUNDING], asked[A_LANGUAGES], asked[A_SOURCE]
    if funding:
        must = rare[line, R_FUNDING_MUST]
        if funding & ~rare[line, R_FUNDING_OUT] == 0 or (must and must & funding == 0):
            return False
    if languages:
        must = rare[line, R_LANGUAGES_MUST]
        if languages & ~rare[line, R_LANGUAGES_OUT] == 0 or (must and must & languages == 0):
            return False
    if source:
        must = rare[line, R_SOURCES_MUST]
        if source & ~rare[line, R_SOURCES_OUT] == 0 or (must and must & source == 0):
            return False
    if _lives(items, spans, line, L_AREAS_OUT, areas):
        return False
    if rare[line, R_OWN_EXCLUDES] & asked[A_OWN_HAS] or rare[line, R_OWN_REQUIRES] & ~asked[A_OWN_HAS]:
        return False
    return not (rare[line, R_DRAWN] & 1 and lives[rare[line, R_DRAWER]] & RULED_OUT)


@bare
def _first(line, rare, spans, items, said, areas, lives, asked):
    """Of what few services say: do they take somebody like this person first?"""
    return (
        _any(items, spans, line, L_CONDITIONS_FIRST, said, HAS)
        or _any(items, spans, line, L_REGISTERED_FIRST, said, REGISTERED)
        or _lives(items, spans, line, L_AREAS_FIRST, areas)
        or rare[line, R_OWN_PREFERS] & asked[A_OWN_HAS] != 0
        or rare[line, R_FUNDING_FIRST] & asked[A_FUNDING] != 0
        or rare[line, R_LANGUAGES_FIRST] & asked[A_LANGUAGES] != 0
        or rare[line, R_SOURCES_FIRST] & asked[A_SOURCE] != 0
        or (rare[line, R_DRAWN] & 2 != 0 and lives[rare[line, R_DRAWER]] & FIRST != 0)
    )


@bare
def _place(status, free, maximum, fresh, expire, wait, reported, age, asked):
    """`engine.place`: the share for what the figure is worth; REFUSED where nobody can be placed, or would have to wait too long."""
    if reported == NEVER or age < -300 or age >= expire:
        return 200
    if status == 1:
        return REFUSED
    if status == 2:
        if wait == NONE:
            return 300 if asked[A_JOINS_LISTS] else REFUSED
        joins = asked[A_JOINS_LISTS] != 0 if asked[A_DAYS] == NEVER else wait <= asked[A_DAYS]
        return 100 + 300 * max(0, 90 - wait) // 90 if joins else REFUSED
    if free == NONE:
        return 200
    if free <= 0:
        return REFUSED
    if status == 3:
        return 500
    if age >= fresh:
        return 600
    return 850 if maximum >= 10 and free * 10 <= maximum else 1000


@bare
def _wished(row, away, stays, accepts, own_accepts, whole, asked):
    """Points for the way there, for interests and for times that suit. `stays`: the person need not go."""
    score = np.int64(0)
    longest = asked[A_LONGEST]
    if stays:
        score += asked[A_W_TRAVEL]
    elif away != NONE and longest:
        taken = min(asked[A_FOOT_START] + away * asked[A_FOOT_PACE], asked[A_START] + away * asked[A_PACE]) + MINUTE - 1
        score += asked[A_W_TRAVEL] * (1000 * max(0, longest - taken // MINUTE) // longest) // 1000
    liked = 1000
    if asked[A_INTERESTS] or asked[A_OWN_INTERESTS]:
        liked = 1000 * (_bits(accepts & asked[A_INTERESTS]) + _bits(own_accepts & asked[A_OWN_INTERESTS])) // asked[A_INTERESTED]
    score += asked[A_W_INTERESTS] * liked // 1000
    suits, times = 1000, np.int64(whole[row, I_TIMES])
    if asked[A_TIMES] and not times & asked[A_TIMES]:
        suits = 0 if times else 400
    return score + asked[A_W_TIMES] * suits // 1000


@bare
def _chance(row, away, fresh, whole, small, asked):
    """`engine.likelihood`: of a thousand such requests, how many are said yes to."""
    leans, status = np.int64(small[row, S_LEANING]), small[row, S_STATUS]
    said = FREE
    if status == 2:
        said = LIST
    elif status == 1 or whole[row, I_FREE] <= 0:
        said = NOTHING
    elif status == 3:
        said = ASSESSMENT
    leans = (asked[L_USUAL] if leans == LOWEST else leans) + asked[L_DAY] + asked[L_SAID + said] + asked[L_FRESH] * fresh // 1000
    if away == NONE:
        leans += asked[L_NO_JOURNEY]
    else:
        for begins in STEPS:
            if away >= begins:
                leans += asked[L_STEP]
    return asked[L_TABLE + (min(max(leans, -FARTHEST), FARTHEST) + FARTHEST) // LINE]


@bare
def judge(row, away, wide, whole, small, rare, spans, items, asked, said, areas, lives):
    """The score of a row in reach, or REFUSED. `away` is NONE where it is not on the map."""
    flags, accepts = small[row, S_FLAGS], wide[row, W_ACCEPTS]
    line = whole[row, I_SAID]
    funding, languages, source = asked[A_FUNDING], asked[A_LANGUAGES], asked[A_SOURCE]
    if funding and wide[row, W_FUNDING] and not wide[row, W_FUNDING] & funding:
        return REFUSED
    if accepts & asked[A_MUST_HAVES] != asked[A_MUST_HAVES]:
        return REFUSED
    own_accepts = rare[line, R_OWN_ACCEPTS] if line != NONE else 0
    if own_accepts & asked[A_OWN_MUST_HAVES] != asked[A_OWN_MUST_HAVES]:
        return REFUSED
    if away > whole[row, I_CATCHMENT] or small[row, S_MIN_AGE] > asked[A_AGE] or small[row, S_MAX_AGE] < asked[A_AGE]:
        return REFUSED
    online = flags & ONLINE != 0
    stays = online or (asked[A_COMES] >> small[row, S_KIND]) & 1 != 0
    stays = stays or accepts & asked[A_VISITS] != 0 or own_accepts & asked[A_OWN_VISITS] != 0
    if asked[A_FARTHEST] != NEVER and away > asked[A_FARTHEST] and not stays:
        return REFUSED
    if wide[row, W_EXCLUDES] & asked[A_HAS] or wide[row, W_REQUIRES] & ~asked[A_HAS]:
        return REFUSED
    sex = small[row, S_SEX]
    if sex != 0 and sex != 3 and (asked[A_SEX] == 1 or asked[A_SEX] == 2) and sex != asked[A_SEX]:
        return REFUSED
    budget, price = asked[A_BUDGET], np.int64(whole[row, I_PRICE])
    if budget != NEVER and price != NONE and price > budget:
        return REFUSED
    if source and wide[row, W_SOURCES] and not wide[row, W_SOURCES] & source:
        return REFUSED
    if languages and wide[row, W_LANGUAGES] and not wide[row, W_LANGUAGES] & languages:
        return REFUSED
    if flags & (LIMITED | EXTENT):
        inside = flags & LIMITED != 0 and _lives(items, spans, line, L_AREAS, areas)
        if not inside and not (flags & EXTENT and lives[rare[line, R_DRAWER]] & INSIDE):
            return REFUSED
    if flags & CODED and not _coded_fits(line, rare, spans, items, said, areas, lives, asked):
        return REFUSED
    reported, expire = wide[row, W_REPORTED], np.int64(whole[row, I_EXPIRE])
    age = 0 if reported == NEVER else (asked[A_AT] - reported) // SECOND
    place = _place(
        small[row, S_STATUS], np.int64(whole[row, I_FREE]), whole[row, I_MAXIMUM], whole[row, I_FRESH], expire,
        np.int64(whole[row, I_WAIT]), reported, age, asked,
    )  # fmt: skip
    if place == REFUSED:
        return REFUSED
    farthest, today = asked[A_MAX_DISTANCE], asked[A_TODAY]
    score = asked[A_W_AVAILABILITY] * place // 1000
    if online:
        score += asked[A_W_DISTANCE]
    elif away != NONE and farthest:
        score += asked[A_W_DISTANCE] * (1000 * (farthest - away) // farthest) // 1000
    fresh = 1000 * (expire - max(age, 0)) // expire if reported != NEVER and -300 <= age < expire else 0
    score += asked[A_W_FRESHNESS] * fresh // 1000
    if asked[A_W_LIKELIHOOD]:
        score += asked[A_W_LIKELIHOOD] * _chance(row, NONE if online else away, fresh, whole, small, asked) // 1000
    stated = np.int64(small[row, S_MIN_AGE] != LOWEST or small[row, S_MAX_AGE] != HIGHEST)
    stated += _bits(accepts & asked[A_NEEDS]) + _bits(own_accepts & asked[A_OWN_NEEDS])
    stated += np.int64(flags & CODED != 0 and _any(items, spans, line, L_CONDITIONS_OK, said, HAS))
    stated += np.int64(funding != 0 and wide[row, W_FUNDING] != 0) + np.int64(languages != 0 and wide[row, W_LANGUAGES] != 0)
    stated += np.int64(source != 0 and wide[row, W_SOURCES] != 0)
    score += asked[A_W_KNOWN] * (1000 * stated // asked[A_ASKED]) // 1000
    liked = 1000
    if asked[A_PREFERENCES] or asked[A_OWN_PREFERENCES]:
        liked = 1000 * (_bits(accepts & asked[A_PREFERENCES]) + _bits(own_accepts & asked[A_OWN_PREFERENCES])) // asked[A_PREFERRED]
    score += asked[A_W_PREFERENCES] * liked // 1000
    if wide[row, W_PREFERS] & asked[A_HAS] or (flags & CODED and _first(line, rare, spans, items, said, areas, lives, asked)):
        score += asked[A_W_PRIORITY]
    rating = small[row, S_CQC]
    score += asked[A_W_QUALITY] * (400, 0, 300, 750, 1000)[rating] // 1000
    if budget == NEVER or (budget == 0 and price == 0):
        score += asked[A_W_PRICE]
    elif price != NONE and budget:
        score += asked[A_W_PRICE] * (1000 * (budget - price) // budget) // 1000
    assured = whole[row, I_ASSURED]
    if assured != NONE:
        score += asked[A_W_ASSURANCE] * (1000 * max(0, 730 - max(0, today - assured)) // 730) // 1000
        if assured >= asked[A_CHECKED_SINCE]:
            score += asked[A_W_CURRENCY]
    wished = 1000
    if asked[A_MARKS]:
        marks = 8 if rating >= 3 else 0
        if line != NONE:
            for bit in range(3):
                if rare[line, R_MARK + bit] >= today:
                    marks |= 1 << bit
        wished = 1000 * _bits(marks & asked[A_MARKS]) // asked[A_WISHED]
    score += asked[A_W_MARKS] * wished // 1000
    easy = online or not (asked[A_TRAVELS] >> small[row, S_KIND]) & 1
    if easy or accepts & asked[A_BRINGS] or own_accepts & asked[A_OWN_BRINGS]:
        score += asked[A_W_JOURNEY]
    return score + _wished(row, away, stays, accepts, own_accepts, whole, asked)
