"""The search for shortest paths, compiled: how one person finds room, and who takes a place that became free.

Each node (a pool, or a group of pools with a limit) has a price: what a person pays there, for its own place and for the limits above.
Prices keep three things true, and with them the plan is the best there is:

- everybody pays the least that is possible for them at these prices, among their options and being left out;
- a node that has room costs no more than the node above it (or nothing), and one that is used costs no less;
- nothing has a negative price.

`forward` lets one more person in, `backward` uses one free place. Both walk from node to node: who is in a pool may move to another of
their options, or be left out; what a path costs at these prices is never negative, so that the nearest end is found as on a road map
(Dijkstra, with potentials). Then prices of what was passed are raised or lowered so that all three are true again.
"""

from matching.allocation.net import UNSEEN
from matching.compiling import bare, inlined

#: Further than any path.
FAR = 1 << 60
#: Marks of `seat`: taken from the heap; seen, but needs no place in the heap.
SETTLED, ENDS = -2, -3


@inlined
def _rise(dist, seat, heap, i):
    node = heap[i]
    while i > 0:
        above = (i - 1) >> 1
        if dist[heap[above]] <= dist[node]:
            break
        heap[i] = heap[above]
        seat[heap[i]] = i
        i = above
    heap[i] = node
    seat[node] = i


@inlined
def _pop(dist, seat, heap, size):
    top = heap[0]
    seat[top] = SETTLED
    if size > 1:
        node, i = heap[size - 1], 0
        while 2 * i + 1 < size - 1:
            child = 2 * i + 1
            if child + 1 < size - 1 and dist[heap[child + 1]] < dist[heap[child]]:
                child += 1
            if dist[heap[child]] >= dist[node]:
                break
            heap[i] = heap[child]
            seat[heap[i]] = i
            i = child
        heap[i] = node
        seat[node] = i
    return top


@inlined
def _reach(dist, seat, heap, node, distance, size):
    """Note a way to a node that is known to be the shortest so far. Returns how many the heap has."""
    dist[node] = distance
    if seat[node] == UNSEEN:
        heap[size] = node
        seat[node] = size
        size += 1
    _rise(dist, seat, heap, seat[node])
    return size


@inlined
def _nearer(dist, seat, node, distance):
    return seat[node] == UNSEEN or (seat[node] != SETTLED and distance < dist[node])


@bare
def enter(net, person, option):
    """Put somebody who is nowhere into the pool of an option."""
    pool = net.pool[option]
    other = net.first[pool]
    net.at[person] = option
    net.after[person] = other
    net.before[person] = -1
    if other >= 0:
        net.before[other] = person
    net.first[pool] = person
    net.pays[person] = net.cost[option] + net.price[pool] + (0 if option == net.keep[person] else net.extra[person])


@bare
def depart(net, person):
    """Take somebody out of the pool where they are. What the pool is loaded with stays as it was."""
    pool = net.pool[net.at[person]]
    after, before = net.after[person], net.before[person]
    if before >= 0:
        net.after[before] = after
    else:
        net.first[pool] = after
    if after >= 0:
        net.before[after] = before
    net.at[person] = -1
    net.pays[person] = net.left[person] + net.extra[person]


@bare
def _reprice(net, found, best, sign):
    """Change the prices of what was passed, and forget the search. Returns how many prices changed; `seen` lists their nodes."""
    changed = 0
    for i in range(found):
        node = net.seen[i]
        if net.seat[node] == SETTLED and net.dist[node] < best:
            by = sign * (best - net.dist[node])
            net.price[node] += by
            person = net.first[node]
            while person >= 0:
                net.pays[person] += by
                person = net.after[person]
            net.seen[changed] = node
            changed += 1
        net.seat[node] = UNSEEN
    return changed


@bare
def forward(net, person, source):
    """Let `person` in; or, with person -1, find room for one of those in `source`, which has one too many.

    Returns how many people moved (noted in `moved`), and how many prices changed (in `seen`); -1 when there is no way at all.
    """
    # A call, or reading an array from `net`, would cost more than what it is for in the loops below.
    dist, how, seat, heap, seen = net.dist, net.how, net.seat, net.heap, net.seen
    end, pool_of, cost, owner, price, parent = net.end, net.pool, net.cost, net.owner, net.price, net.parent
    load, places, left, keep, extras, at, pays = net.load, net.places, net.left, net.keep, net.extra, net.at, net.pays
    size = found = 0
    best, end_node, end_person = FAR, -1, person
    other, far = person, 0
    if person >= 0:
        net.after[person] = -1
        pays[person] = _least(net, person)
    else:
        size = _reach(dist, seat, heap, source, 0, size)
        how[source] = -1
        seen[0], found = source, 1
    while True:
        while other >= 0:
            base = far - pays[other]
            extra, kept, mine = extras[other], keep[other], at[other]
            if base + left[other] + extra < best:
                best, end_node, end_person = base + left[other] + extra, -1, other
            option = kept if kept >= 0 else net.begin[other]
            following = net.begin[other] if kept >= 0 else option + 1
            while option < end[other]:
                distance = base + cost[option] + (0 if option == kept else extra)
                # The cheapest come first, and no price is negative; but the one that the person was told of may stand anywhere.
                if distance >= best and option != kept:
                    break
                pool = pool_of[option]
                distance += price[pool]
                if distance < best and option != mine and owner[option] >= 0 and _nearer(dist, seat, pool, distance):
                    how[pool] = option
                    if seat[pool] == UNSEEN:
                        seen[found] = pool
                        found += 1
                    if parent[pool] < 0 and load[pool] < places[pool]:
                        dist[pool], seat[pool] = distance, ENDS
                        best, end_node = distance, pool
                    else:
                        size = _reach(dist, seat, heap, pool, distance, size)
                option = following
                following += 1
            other = net.after[other]
        if size == 0 or dist[heap[0]] >= best:
            break
        node = _pop(dist, seat, heap, size)
        size -= 1
        far = dist[node]
        above = parent[node]
        if load[node] < places[node]:
            if above < 0:
                best, end_node = far, node
                break
            distance = far + price[above] - price[node]
            if _nearer(dist, seat, above, distance):
                how[above] = -2 - 2 * node
                if seat[above] == UNSEEN:
                    seen[found] = above
                    found += 1
                size = _reach(dist, seat, heap, above, distance, size)
        below = net.child[node]
        while below >= 0:
            distance = far + price[below] - price[node]
            if load[below] > 0 and _nearer(dist, seat, below, distance):
                how[below] = -3 - 2 * node
                if seat[below] == UNSEEN:
                    seen[found] = below
                    found += 1
                size = _reach(dist, seat, heap, below, distance, size)
            below = net.sibling[below]
        other = net.first[node]
    if best == FAR:
        _reprice(net, found, -1, 1)
        return -1, 0
    changed = _reprice(net, found, best, 1)
    moved = 0
    node = end_node
    if end_node < 0:
        if end_person == person:
            net.at[person] = -1
            net.pays[person] = net.left[person] + net.extra[person]
            net.moved[0], net.moved_from[0] = person, -1
            return 1, changed
        net.moved[0], net.moved_from[0] = end_person, net.at[end_person]
        moved = 1
        node = net.pool[net.at[end_person]]
        depart(net, end_person)
    else:
        net.load[node] += 1
    while node != source:
        how = net.how[node]
        if how >= 0:
            mover = net.owner[how]
            was = net.at[mover]
            net.moved[moved], net.moved_from[moved] = mover, was
            moved += 1
            if was >= 0:
                node = net.pool[was]
                depart(net, mover)
            enter(net, mover, how)
            if mover == person:
                break
        elif how % 2 == 0:
            node = (-2 - how) // 2
            net.load[node] += 1
        else:
            net.load[node] -= 1
            node = (-3 - how) // 2
    return moved, changed


@bare
def backward(net, source):
    """Use one place of `source` that is counted as used and is not: the best chain of moves into it, or none. Returns as `forward` does."""
    dist, how, seat, heap, seen = net.dist, net.how, net.seat, net.heap, net.seen
    cost, owner, price, parent, load, keep, extras, at, pays = (
        net.cost, net.owner, net.price, net.parent, net.load, net.keep, net.extra, net.at, net.pays,
    )  # fmt: skip
    size = _reach(dist, seat, heap, source, 0, 0)
    how[source] = -1
    seen[0], found = source, 1
    best, end_node, end_option = FAR, -1, -1
    if parent[source] < 0:
        best, end_node = price[source], source
    while size > 0 and dist[heap[0]] < best:
        node = _pop(dist, seat, heap, size)
        size -= 1
        far = dist[node]
        above = parent[node]
        if load[node] > 0:
            if above < 0:
                if far + price[node] < best:
                    best, end_node, end_option = far + price[node], node, -1
            else:
                distance = far + price[node] - price[above]
                if _nearer(dist, seat, above, distance):
                    how[above] = -3 - 2 * node
                    if seat[above] == UNSEEN:
                        seen[found] = above
                        found += 1
                    size = _reach(dist, seat, heap, above, distance, size)
        below = net.child[node]
        while below >= 0:
            distance = far + price[node] - price[below]
            if load[below] < net.places[below] and _nearer(dist, seat, below, distance):
                how[below] = -2 - 2 * node
                if seat[below] == UNSEEN:
                    seen[found] = below
                    found += 1
                size = _reach(dist, seat, heap, below, distance, size)
            below = net.sibling[below]
        option = net.first_in[node]
        while option >= 0:
            other = owner[option]
            if other >= 0 and at[other] != option:
                distance = far + price[node] + cost[option] - pays[other] + (0 if option == keep[other] else extras[other])
                if distance < best:
                    if at[other] < 0:
                        best, end_node, end_option = distance, -1, option
                    else:
                        there = net.pool[at[other]]
                        if _nearer(dist, seat, there, distance):
                            how[there] = option
                            if seat[there] == UNSEEN:
                                seen[found] = there
                                found += 1
                            size = _reach(dist, seat, heap, there, distance, size)
                            if parent[there] < 0 and distance + price[there] < best:
                                best, end_node, end_option = distance + price[there], there, -1
            option = net.next_in[option]
    changed = _reprice(net, found, best, -1)
    moved = 0
    node = end_node
    if end_option >= 0:
        mover = net.owner[end_option]
        net.moved[0], net.moved_from[0] = mover, -1
        moved = 1
        enter(net, mover, end_option)
        node = net.pool[end_option]
    else:
        net.load[node] -= 1
    while node != source:
        how = net.how[node]
        if how >= 0:
            mover = net.owner[how]
            net.moved[moved], net.moved_from[moved] = mover, net.at[mover]
            moved += 1
            depart(net, mover)
            enter(net, mover, how)
            node = net.pool[how]
        elif how % 2 == 0:
            net.load[node] += 1
            node = (-2 - how) // 2
        else:
            node = (-3 - how) // 2
            net.load[node] -= 1
    return moved, changed


@bare
def _least(net, person):
    """What somebody who is nowhere would pay now."""
    pays = net.left[person] + net.extra[person]
    kept = net.keep[person]
    if kept >= 0 and net.owner[kept] >= 0:
        pays = min(pays, net.cost[kept] + net.price[net.pool[kept]])
    for option in range(net.begin[person], net.end[person]):
        if net.cost[option] + net.extra[person] >= pays:
            break
        if net.owner[option] >= 0:
            pays = min(pays, net.cost[option] + net.extra[person] + net.price[net.pool[option]])
    return pays


@bare
def fill(net, order):
    """Let everybody in, one after the other."""
    for person in order:
        forward(net, person, -1)


@bare
def link(net, begin, end):
    """Put options into the lists of their pools."""
    for option in range(end - 1, begin - 1, -1):
        pool = net.pool[option]
        net.next_in[option] = net.first_in[pool]
        net.first_in[pool] = option


@bare
def seat_all(net, plan):
    """Put everybody where a plan says."""
    for person in range(len(plan)):
        if plan[person] >= 0:
            enter(net, person, plan[person])
            node = net.pool[plan[person]]
            while node >= 0:
                net.load[node] += 1
                node = net.parent[node]
        else:
            net.pays[person] = net.left[person] + net.extra[person]
