"""What was learned, in sentences."""

from collections.abc import Iterator

from flow.acceptance.operations import Night
from flow.models import AcceptanceModel


def verdict(model: AcceptanceModel) -> str:
    """Whether a version was better than telling everybody the same, and by what that is known."""
    figures = model.figures
    if not figures:
        return f"Too few answers to learn from: {model.answers:,} are certain so far."
    held_out = f"the {figures['answers']:,} answers held out, of {figures['services']:,} services"
    if not figures["enough"]:
        return f"Too few answers to judge by: {held_out}."
    if model.beats_constant:
        return f"Better than telling everybody {round(100 * figures['guess'])} in 100, on {held_out}."
    return f"No better than telling everybody {round(100 * figures['guess'])} in 100, on {held_out}; so it cannot be switched on."


def summary(night: Night) -> Iterator[str]:
    """What a run did, line by line."""
    model = night.model
    yield f"Version {model.version}, from {model.answers:,} answers. {verdict(model)}"
    if model.figures:
        told = (("Squared error", "brier"), ("Logarithmic error", "loss"))
        for name, key in told:
            figures = [model.figures[each] for each in (key, f"{key}_constant", f"{key}_group")]
            yield "  {}: {:.4f}; of the same for everybody {:.4f}, of the group’s share {:.4f}.".format(name, *figures)
    if night.switched_off:
        yield f"The version that was on was switched off. {night.switched_off}"
    elif night.told:
        yield f"The chances of {night.told:,} pools were renewed."
