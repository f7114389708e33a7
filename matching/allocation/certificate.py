"""Whether a change has left a plan the best: checked where something changed, by code that shares nothing with the searches.

What no search touched was certified before, and depends on nothing that changed: somebody can only be better off elsewhere when what they
pay rose, or what is asked elsewhere fell. `check` does the same for a whole plan.
"""

from matching.allocation.problem import NONE
from matching.compiling import bare


@bare
def certified(net, changed, moved):
    """Whether all three things are true again wherever a search changed a price or moved somebody. Shares no code with the searches."""
    for i in range(changed + moved):
        if i >= changed:
            person = net.moved[i - changed]
            if not _pays_least(net, person):
                return False
            if net.at[person] < 0:
                continue
        node = net.seen[i] if i < changed else net.pool[net.at[net.moved[i - changed]]]
        while node >= 0:
            above = net.parent[node]
            price = net.price[node] - (net.price[above] if above >= 0 else 0)
            if net.load[node] > net.places[node] or net.price[node] < 0:
                return False
            if (price > 0 and net.load[node] < net.places[node]) or (price < 0 and net.load[node] > 0):
                return False
            node = above
        if i >= changed:
            continue
        node = net.seen[i]
        rose = net.price[node] >= net.was[node]
        net.was[node] = net.price[node]
        person = net.first[node]
        while person >= 0:
            if _asked(net, person, net.at[person]) != net.pays[person] or (rose and not _pays_least(net, person)):
                return False
            person = net.after[person]
        # Who is elsewhere could only want to come where the price fell.
        option = NONE if rose else net.first_in[node]
        while option >= 0:
            person = net.owner[option]
            if person >= 0 and _asked(net, person, option) < net.pays[person]:
                return False
            option = net.next_in[option]
        node = net.child[node]
        while node >= 0:
            price = net.price[node] - net.price[net.parent[node]]
            if (price > 0 and net.load[node] < net.places[node]) or (price < 0 and net.load[node] > 0):
                return False
            node = net.sibling[node]
    return True


@bare
def _asked(net, person, option):
    return net.cost[option] + net.price[net.pool[option]] + (0 if option == net.keep[person] else net.extra[person])


@bare
def _pays_least(net, person):
    out = net.left[person] + net.extra[person]
    if net.pays[person] > out or net.pays[person] != (out if net.at[person] < 0 else _asked(net, person, net.at[person])):
        return False
    for option in range(net.begin[person], net.end[person]):
        # The cheapest come first, and no price is negative: nothing after this can be cheaper.
        if net.cost[option] >= net.pays[person]:
            break
        if net.owner[option] >= 0 and _asked(net, person, option) < net.pays[person]:
            return False
    return True
