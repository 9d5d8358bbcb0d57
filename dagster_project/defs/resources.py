"""Resources: the one thing that assets are given.

Belongs here: the resource that opens the pipeline from the settings, and its registration.
Does not: assets or jobs (beside a `definitions` function they would vanish without an error).
"""

import dagster as dg

from dagster_project.lib.pipeline import Pipeline
from dagster_project.settings import from_environment


class CradleResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Opens the pipeline from the environment, once a step."""

    def pipeline(self) -> Pipeline:
        """All steps over the settings of this process."""
        return Pipeline(from_environment())


@dg.definitions
def resources() -> dg.Definitions:
    """The resources of all assets and jobs."""
    return dg.Definitions(resources={"cradle": CradleResource()})
