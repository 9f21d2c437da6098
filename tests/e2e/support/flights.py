"""When requests were on their way, from devs3's log: how many at once, and how many one after another."""

import dataclasses


@dataclasses.dataclass(frozen=True, order=True)
class Flight:
    end: float  # milliseconds
    begin: float


def flights(requests, latency_ms=0):
    """The log has the moment at which an answer was decided, which is `latency_ms` after the request came; with a body that was sent, its end."""
    found = []
    for request in requests:
        milliseconds = request.duration_us / 1000
        begin = request.time_ms - (milliseconds if request.bytes_in else latency_ms)
        found.append(Flight(begin + milliseconds, begin))
    return found


def most_at_once(flown):
    moments = sorted([(flight.begin, 1) for flight in flown] + [(flight.end, -1) for flight in flown])
    now = most = 0
    for _, step in moments:
        now += step
        most = max(most, now)
    return most


def rounds(flown, overlap_ms=0):
    """The longest row of requests of which each began when the one before had ended. A client has the answer a moment before the log has its
    end: that much of an overlap is none."""
    count, last_end = 0, float("-inf")
    for flight in sorted(flown):
        if flight.begin >= last_end - overlap_ms:
            count, last_end = count + 1, flight.end
    return count
