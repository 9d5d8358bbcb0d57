"""What sqlfluff takes for dbt's `model` while it renders models without dbt.

Belongs here: a name and one column, enough for a macro that goes over the columns of a contract.
Does not: stand for any model of the project.
"""

from types import SimpleNamespace

name = "model"
columns = {"reporting_year": SimpleNamespace(name="reporting_year", data_type="integer")}
