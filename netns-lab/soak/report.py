"""What a soak prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from bench.watch import Holding, Line, Seen
from bench.wire import Advert

from soak.judge import NANO, Episode, Judgement
from soak.plan import PART


def line(judgement: Judgement) -> str:
    """One episode: what was done, what it cost, what was allowed."""
    episode, allowed = judgement.episode, judgement.episode.allowance
    words = [
        f"{episode.text}: {judgement.gap:.3f} s without a holder (allowed {allowed.gap:.2f})",
        f"{judgement.overlap:.3f} s with two (allowed {allowed.overlap:.2f})",
    ]
    if episode.stall > 0.01:
        words.append(f"the machine stood still for {episode.stall * 1e3:.0f} ms")
    if not episode.calm:
        words.append("NOT CALM in time")
    if judgement.excess_gap or judgement.excess_overlap:
        words.append(f"TOO LONG by {judgement.excess_gap:.3f} s without, {judgement.excess_overlap:.3f} s with two")
        words.append("allowed: " + "; ".join(allowed.why))
    return ", ".join(words)


def timeline(episode: Episode, seen: Sequence[Seen]) -> Iterator[str]:
    """What the agents said and the kernels did from the fault on, with each node's first advert after a change."""
    spoke: dict[str, int] = {}
    for each in seen:
        if not episode.began <= each.at <= episode.ended:
            continue
        text = _sighting(each, spoke)
        if text:
            yield f"        {(each.at - episode.began) / NANO:8.3f}  {each.node}  {text}"


def _sighting(each: Seen, spoke: dict[str, int]) -> str:
    if isinstance(each, Line):
        return each.text
    if isinstance(each, Holding):
        return f"{'has' if each.held else 'has lost'} {each.address}"
    if isinstance(each, Advert) and spoke.get(each.node) != each.priority:
        spoke[each.node] = each.priority
        return f"advertises {each.priority}"
    return ""


def summary(judgements: Sequence[Judgement], margin: float) -> Iterator[str]:
    """The sums, and what they are made of."""
    yield from _kinds(judgements)
    kinds = Counter(each.episode.kind for each in judgements)
    counted = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
    yield f"{kinds.total()} faults: {counted}"
    stall = max((each.episode.stall for each in judgements), default=0.0) * 1e3
    yield f"margin: {margin * 1e3:.0f} ms a fault, and twice what the machine stood still in it, {stall:.0f} ms at most"
    apart = sum(each.overlap for each in judgements if each.episode.kind == PART)
    yield (
        f"in all: {sum(each.gap for each in judgements):.3f} s without a holder, {apart:.3f} s with two that could not "
        f"hear each other, {sum(each.overlap for each in judgements) - apart:.3f} s with two that could"
    )
    gap = sum(each.excess_gap for each in judgements)
    overlap = sum(each.excess_overlap for each in judgements)
    yield f"seconds without a holder beyond the protocol's own time: {gap:.3f}{_worst(judgements, 'excess_gap')}"
    yield f"seconds with two holders beyond the lease: {overlap:.3f}{_worst(judgements, 'excess_overlap')}"


def passed(judgements: Sequence[Judgement]) -> bool:
    """Whether both sums are nothing, and it always became calm again."""
    return not any(each.excess_gap or each.excess_overlap or not each.episode.calm for each in judgements)


def _kinds(judgements: Sequence[Judgement]) -> Iterator[str]:
    yield f"{'fault':<12} {'times':>5}  {'s without: worst of allowed':<28} {'s with two: worst of allowed':<28}"
    for kind in sorted({each.episode.kind for each in judgements}):
        mine = [each for each in judgements if each.episode.kind == kind]
        gap = max(mine, key=lambda each: each.gap)
        overlap = max(mine, key=lambda each: each.overlap)
        without = f"{gap.gap:.3f} of {gap.episode.allowance.gap:.2f}"
        double = f"{overlap.overlap:.3f} of {overlap.episode.allowance.overlap:.2f}"
        yield f"{kind:<12} {len(mine):>5}  {without:<28} {double:<28}".rstrip()


def _worst(judgements: Sequence[Judgement], name: str) -> str:
    worst = max(judgements, key=lambda each: float(getattr(each, name)), default=None)
    if worst is None or not getattr(worst, name):
        return ""
    return f"   worst: {getattr(worst, name):.3f} s, {worst.episode.text}"
