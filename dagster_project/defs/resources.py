"""Resources: the one thing that assets are given, and how runs are executed.

Belongs here: the resources that open the pipeline from the settings, the executor, and their registration.
Does not: assets or jobs (beside a `definitions` function they would vanish without an error).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from dagster_project.instance.marks import write_in_batches
from dagster_project.instance.runs import only_one
from dagster_project.lib.app.pipeline import Pipeline
from dagster_project.settings import from_environment

# Every process that runs steps loads this module, whoever started it.
write_in_batches()


class CradleResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Opens the pipeline from the environment, for steps that write: the run holds the home's lock to its end.

    Dagster's pool keeps queued runs apart; the lock also keeps them apart from `cradle run` and from runs that were
    started past the queue.
    """

    def pipeline(self) -> Pipeline:
        """All steps over the settings of this process."""
        return Pipeline(from_environment())

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["CradleResource"]:
        """Hold the lock for as long as the run executes."""

        def tell(line: str) -> None:
            if context.log:
                context.log.info(line)

        who = f"a run of the job {context.run.job_name}" if context.run else ""
        with only_one(from_environment(), tell, who):
            yield self


class ReaderResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Opens the pipeline from the environment, for steps that only look: they wait for nobody."""

    def pipeline(self) -> Pipeline:
        """All steps over the settings of this process."""
        return Pipeline(from_environment())


@dg.definitions
def resources() -> dg.Definitions:
    """The resources of all assets and jobs; one process a run, since a process a step costs seconds each."""
    return dg.Definitions(
        resources={"cradle": CradleResource(), "reader": ReaderResource()}, executor=dg.in_process_executor
    )
