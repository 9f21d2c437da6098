"""From a failing plan to a short one: operations are left out as long as it still fails."""

import time

from .run import Failure, run_plan


def cut_after_failure(plan, step):
    """What comes after the failure has no part in it."""
    return {**plan, "operations": plan["operations"][:step + 1]}


def without(plan, steps):
    return {**plan, "operations": [operation for step, operation in enumerate(plan["operations"]) if step not in steps]}


def kind_of(failure):
    """What was not right, without the names: else a shorter plan would show something else."""
    return str(failure.difference).split()[:2]


class Shrinker:
    """`fails(plan)`: the step at which it fails; None: it does not."""

    def __init__(self, fails, seconds):
        self._fails, self._until = fails, time.monotonic() + seconds

    def shrink(self, plan):
        size = max(1, len(plan["operations"]) // 2)
        while size:
            plan, smaller = self._without_pieces(plan, size)
            if time.monotonic() > self._until:
                break
            size = size if smaller and size == 1 else size // 2
        return plan

    def _without_pieces(self, plan, size):
        """Tries to leave out each piece of `size` operations, from the end on."""
        smaller, end = False, len(plan["operations"])
        while end > 0 and time.monotonic() < self._until:
            start = max(0, end - size)
            candidate = {**plan, "operations": plan["operations"][:start] + plan["operations"][end:]}
            step = self._fails(candidate)
            if step is not None:
                plan, smaller = cut_after_failure(candidate, step), True
            end = min(start, len(plan["operations"]))
        return plan, smaller


def shrink(failure, server, directory, seconds=120, tries=1):
    """The shortest plan found that fails alike in one of `tries` runs."""
    def fails(plan):
        for _ in range(tries):
            try:
                run_plan(plan, server, directory)
            except Failure as again:
                if kind_of(again) == kind_of(failure):
                    return again.step
        return None

    plan = cut_after_failure(failure.plan, failure.step)
    performed = without(plan, failure.left_out)
    step = fails(performed)
    return Shrinker(fails, seconds).shrink(plan if step is None else cut_after_failure(performed, step))
