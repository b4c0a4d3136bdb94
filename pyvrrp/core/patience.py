"""How long a BACKUP waits for its master: RFC 3768 and RFC 5798 section 6.1, with keepalived's delays."""

from __future__ import annotations

from pyvrrp.core import const
from pyvrrp.core.settings import InstanceSettings


class Patience:
    """The times of one virtual router that depend on what it heard. `opens` is when it begins to wait at all."""

    __slots__ = ("_adopted", "_opens", "preempts_at")

    def __init__(self, opens: float) -> None:
        self._opens = opens
        self._adopted: float | None = None
        self.preempts_at: float | None = None  # when preempt_delay is over, since a worse master was heard

    def interval(self, settings: InstanceSettings) -> float:
        """Master_Adver_Interval: version 3 adopts the master's (RFC 5798 section 6.1), version 2 has only its own."""
        if settings.version == 3 and self._adopted is not None:
            return self._adopted
        return settings.advert_int

    def skew(self, settings: InstanceSettings, priority: int) -> float:
        """Skew_Time in seconds (RFC 3768 section 6.1; version 3 scales it by the interval, RFC 5798 section 6.1)."""
        share = (const.SKEW_DIVISOR - priority) / const.SKEW_DIVISOR
        return share if settings.version == 2 else share * self.interval(settings)

    def down(self, settings: InstanceSettings, priority: int) -> float:
        """Master_Down_Interval: seconds of silence after which it takes over (RFC 3768 section 6.1)."""
        return settings.down_timer_adverts * self.interval(settings) + self.skew(settings, priority)

    def begin(self, now: float) -> float:
        """When a wait that begins now is counted from."""
        return max(now, self._opens)

    def adopt(self, advert_int: float) -> None:
        """The master that it follows sends at this interval, in seconds."""
        self._adopted = advert_int

    def defer(self, settings: InstanceSettings, now: float) -> bool:
        """A worse master was heard. True when that begins preempt_delay."""
        if self.preempts_at is not None or not settings.preempt_delay:
            return False
        self.preempts_at = now + settings.preempt_delay
        return True

    def defers(self, now: float) -> bool:
        """Whether a worse master is left alone."""
        return self.preempts_at is not None and now < self.preempts_at

    def reset(self, *, follows: bool) -> None:
        """A new state: preempt_delay begins anew, and only a BACKUP goes on with its master's interval."""
        self.preempts_at = None
        if not follows:
            self._adopted = None
