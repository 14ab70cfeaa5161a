"""How fast the requests of one credential may follow each other.

Encord publishes no number. It refuses a request with status 429 and says how long to wait (protocol, section 6). Until
then, requests are sent as they come. From then on, they are sent one after the other, at the rate that Encord has taken
between two refusals; the rate grows, first slowly, until the next refusal. Nothing is sent in the time that Encord asks
to wait. Requests that are waiting keep their order.

This is only the arithmetic. `pacing` keeps the numbers where all tasks find them.
"""

from __future__ import annotations

import dataclasses
import math

SLOWED = 0.93  # after a refusal, the rate is this fraction of what it was, if Encord took most of it
MOST_TAKEN = 0.7  # that is, at least this fraction; else the rate is the one that Encord took
MOST_SLOWED = 0.3  # but not less than this fraction of what it was
GROWTH = 0.002  # by this fraction a second the rate grows at first
RECOVERED = 40.0  # seconds without a refusal in which it grows by the factor e, whatever it was; then ever faster
LATE = 0.005  # seconds; so much later than planned a request may be sent without delaying those behind it
SLOWEST = 60.0  # seconds between requests
UNNOTICEABLE = 0.0005  # seconds between requests; less is none
LONGEST_CLOSED = 900.0  # seconds; after that, a request may ask whether Encord still means it
DEAREST = 20.0  # the rate grows more slowly, up to so many times, if a refusal costs so many seconds
IDLE = 1.0  # seconds in which no request was sent, though one could have been; those before say nothing of the rate
BETWEEN_LET_IN = 20.0  # seconds between two that are put into the queue though it has no room for new ones
GONE = 5.0  # seconds of the same; then no place is kept for those who were sent away
FIRST_SPACING = 1.0  # seconds between requests at most after the first refusal
LONG_QUEUE = 2.0  # seconds; a longer one is no place for requests that can let others pass
SURE = 0.9  # of a wait behind others, this fraction passes before one looks again: it may become shorter
_MOST_GROWTH = 50.0  # as an exponent: no rate is left that one could notice
_TIMES = ("next_at", "opens_at", "refused_at", "counted_from", "sent_at", "back_at", "behind_at", "let_in_at")
_FORWARD = 1.0  # seconds; a time further ahead than this is that of another clock, or of one that was set back


@dataclasses.dataclass(slots=True)
class Pace:
    """What is known about the rate, and who waits. Times are in seconds since 1970.

    A request takes a number, and is sent when all before it were. If one of those does not come (its task was killed),
    it is passed over after the time of one request. If one comes late, it is the next.

    :param taken: Numbers that were taken.
    :param sent: Up to which number requests were sent.
    :param next_at: Before that, nothing is sent.
    :param learned: Seconds between requests, as learned from the last refusal; 0 before the first.
    :param opens_at: Until when Encord last asked to send nothing.
    :param refused_at: When it did.
    :param counted_from: Since when the requests are counted.
    :param counted: Requests that were sent since then and not refused.
    :param sent_at: When a request was last sent.
    :param back_at: When the last of those comes back who were sent away because too many are waiting.
    :param behind_at: When the last of those comes back who let others pass.
    :param let_in_at: When the next one may be put into the queue though it has no room for new ones.
    """

    taken: float = 0.0
    sent: float = 0.0
    next_at: float = 0.0
    learned: float = 0.0
    opens_at: float = 0.0
    refused_at: float = 0.0
    counted_from: float = 0.0
    counted: float = 0.0
    sent_at: float = 0.0
    back_at: float = 0.0
    behind_at: float = 0.0
    let_in_at: float = 0.0

    def take(self) -> float:
        """Take a number."""
        number, self.taken = self.taken, self.taken + 1
        return number

    def take_first(self) -> float:
        """Take the number before all those that are waiting, for a request that was sent and refused."""
        self.sent = max(0.0, self.sent - 1)
        return self.sent

    def give_back(self) -> None:
        """Leave the queue, so that those behind wait for one less."""
        self.taken = max(self.sent, self.taken - 1)

    def has_passed(self, now: float, number: float) -> bool:
        """Whether so many requests were sent past a number that its holder has no place any more.

        Where many had waited for no time at all, the last ones may be the first to wake when Encord closes and opens.
        """
        behind = (self.sent - number) * self.interval(now)
        return behind > LONG_QUEUE and self.next_at > now + LATE

    def wait(self, now: float, number: float | None = None, *, least: float = 0.0) -> float:
        """Seconds until the request with a number may be sent, if nothing changes; 0 if now.

        :param number: Default: the one that is taken next.
        :param least: Seconds between requests at least.
        """
        self._mend(now)
        ahead = max(0.0, (self.taken if number is None else self._known(number)) - self.sent)
        return max(0.0, self.next_at + ahead * max(self.interval(now), least) - now)

    def nap(self, now: float, number: float, *, least: float = 0.0) -> float:
        """Seconds after which to look again whether the request may be sent; 0 if it may."""
        wait = self.wait(now, number, least=least)
        return wait if self._known(number) <= self.sent else wait * SURE

    def send_away(self, now: float, wait: float, *, least: float = 0.0) -> float:
        """Seconds after which somebody may come back who does not wait in the queue.

        Those who are sent away come back one after the other, at the rate at which requests are sent, so that they find
        room in the queue instead of being sent away again together.

        :param wait: Seconds that a request which is put into the queue now would wait.
        """
        self.back_at = self._one_later(self.back_at, now, wait, max(self.interval(now), least))
        return self.back_at - now

    def let_pass(self, now: float, wait: float, *, least: float = 0.0) -> float:
        """Seconds after which somebody may come back who lets others pass, and is then put into the queue.

        They come back at half the rate, so that the other half is for those whom they let pass.

        :param wait: As for `send_away`.
        """
        self.behind_at = self._one_later(self.behind_at, now, wait, 2 * max(self.interval(now), least))
        return self.behind_at - now

    def let_in(self, now: float) -> bool:
        """Whether a request may be put into the queue though it has no room for new ones.

        One in `BETWEEN_LET_IN` may, so that those who were sent away many times begin at last, and do not push out all
        who have begun.
        """
        if now < self.let_in_at:
            return False
        self.let_in_at = now + BETWEEN_LET_IN
        return True

    def send(self, now: float, number: float, *, least: float = 0.0) -> None:
        """Note that the request with this number is sent."""
        idle = now - max(self.next_at, self.sent_at)
        if idle > IDLE:
            self.counted_from, self.counted = now, 0.0
        if idle > GONE:
            self.back_at = self.behind_at = 0.0
        self.sent = max(self.sent, min(number + 1, self.taken))
        planned = self.next_at if now - self.next_at <= LATE else now
        self.next_at = planned + max(self.interval(now), least)
        self.counted += 1
        self.sent_at = now

    def refuse(self, now: float, *, sent_at: float, seconds: float) -> None:
        """Note that Encord refused a request.

        :param sent_at: When it was sent. Requests that were on their way together are refused together: only the first
            says something about the rate.
        :param seconds: For how long Encord asks to wait.
        """
        self._mend(now)
        self.counted = max(0.0, self.counted - 1)
        if sent_at > self.refused_at:
            self.learned = self._lower(now)
            self.refused_at = self.counted_from = now
            self.counted = 0.0
        self.opens_at = max(self.opens_at, now + min(seconds, LONGEST_CLOSED))
        self.next_at = max(self.next_at, self.opens_at)

    def interval(self, now: float) -> float:
        """Seconds between requests: those that were learned, and ever fewer while nothing is refused.

        The next refusal is provoked by that. If the last one closed Encord for long, it is provoked less often.
        """
        cost = min(DEAREST, max(1.0, self.opens_at - self.refused_at))
        quiet = max(0.0, now - self.opens_at) / cost
        exponent = GROWTH * quiet + (quiet / RECOVERED) ** 3
        interval = self.learned / math.exp(min(exponent, _MOST_GROWTH))
        return interval if interval >= UNNOTICEABLE else 0.0

    def shift(self, seconds: float) -> None:
        """Turn the times of one clock into those of another one that is so many seconds ahead."""
        for name in _TIMES:
            moment = getattr(self, name)
            if moment:  # zero is no time
                setattr(self, name, max(0.0, moment + seconds))

    @staticmethod
    def _one_later(last_at: float, now: float, wait: float, step: float) -> float:
        """When the next one comes back, if the last one comes back at a time; not much later than anybody must wait."""
        return min(max(last_at + step, now + wait), now + max(wait, LONGEST_CLOSED))

    def _known(self, number: float) -> float:
        """A number; the last one, if it was taken at another place before this one was used."""
        return min(number, self.taken)

    def _lower(self, now: float) -> float:
        """The interval after a refusal."""
        taken = max(now - self.counted_from, UNNOTICEABLE) / max(1.0, self.counted)
        if not self.learned:
            return min(taken, FIRST_SPACING)
        interval = self.interval(now) or UNNOTICEABLE
        if interval >= MOST_TAKEN * taken:
            return min(interval / SLOWED, SLOWEST)
        return min(taken, interval / MOST_SLOWED, SLOWEST)

    def _mend(self, now: float) -> None:
        """Forget times that cannot be: a clock was set back."""
        if (
            max(self.sent_at, self.refused_at) > now + _FORWARD
            or self.next_at > now + LONGEST_CLOSED + SLOWEST + _FORWARD
        ):
            self.sent, self.counted = self.taken, 0.0
            for name in _TIMES:
                setattr(self, name, now)
