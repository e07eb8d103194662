"""The plots of a report, in the order of a reader's questions: how long, under what load, why, at what cost."""

from __future__ import annotations

from bench.page.burst import burst_plot
from bench.page.canvas import Plot
from bench.page.distributions import distribution_plot
from bench.page.kinds import kind_plot
from bench.page.resources import resource_plot
from bench.page.sweep import sweep_plot
from bench.result import Result
from bench.summary import Summary


def report_plots(result: Result, summary: Summary) -> tuple[Plot, ...]:
    """Every plot that the run has something for."""
    found = (
        distribution_plot(result),
        sweep_plot(result, summary),
        kind_plot(summary),
        burst_plot(result),
        resource_plot(result),
    )
    return tuple(plot for plot in found if plot is not None)
