# What a person or a machine runs. Every target starts from a fresh clone with Python 3.11+, pip, make and the registries.
# Belongs here: setting up, running, testing, cleaning. Does not: logic (cradle, pytest).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EXAMPLE_TODAY := 2026-06-30
export CRADLE_HOME ?= $(CURDIR)/data
export DAGSTER_HOME ?= $(CRADLE_HOME)/dagster
# dbt and Dagster send nothing; see dbt/dbt_project.yml and dagster.yaml.
export DBT_SEND_ANONYMOUS_USAGE_STATS := false

.PHONY: lock setup run test test-fast lint format dev bench bench-smoke clean system-deps example docs fuzz folders events torture pages disclosure-long test-long mutation
.PHONY: superset-env superset-admin superset-load superset test-superset
.PHONY: spark-lock spark-env spark-packages spark-deps spark spark-smoke test-spark

setup: $(VENV)/.ready $(VENV)/.compiled dbt/target/manifest.json

$(VENV)/.ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	-$(BIN)/python -m compileall -q -j 0 $(VENV)/lib
	touch $@

# Compiled once, by whoever installs: a service may not write here, and would compile all of it at every start. What is
# installed too, on all processors at once, which pip would not do.
$(VENV)/.compiled: $(VENV)/.ready $(shell find dagster_project contracts -name '*.py' 2>/dev/null)
	$(BIN)/python -m compileall -q dagster_project contracts
	touch $@

dbt/target/manifest.json: $(VENV)/.ready dbt/dbt_project.yml $(shell find dbt/models dbt/macros dbt/tests seeds -type f 2>/dev/null)
	CRADLE_SEEDS=$(CURDIR)/seeds $(BIN)/dbt --quiet parse --no-partial-parse --warn-error --project-dir dbt --profiles-dir dbt --target-path target
	touch $@

# Needs uv on the path; everything else here needs what the lock installs.
lock:
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url --no-header --quiet -o requirements.lock
	sed -i '1i # The lock: every package with its hashes, for Python 3.11 to 3.13. Made by `make lock` from pyproject.toml; installed by `make setup`.' requirements.lock

# The example drop is made once; what you change in it afterwards stays as you left it.
example: setup $(CRADLE_HOME)/.example

$(CRADLE_HOME)/.example: $(wildcard examples/*.py examples/distributions/*.csv)
	$(BIN)/python -m examples.generate --home $(CRADLE_HOME)
	touch $@

run: example
	CRADLE_TODAY=$${CRADLE_TODAY:-$(EXAMPLE_TODAY)} $(BIN)/cradle run

# Everything, for two cores: more workers than these use what is left by tests that wait. What starts whole homes, servers
# and browsers keeps to one worker by module, and all modules of a shared home to one (tests/conftest.py), the longest first;
# it goes before the quick ones, which never wait, so that lint and Spark (.ci/run) have what it leaves. Of the quick ones
# a worker keeps to neighbours, which share what they are given, and takes over from others at the end.
test: setup
	$(BIN)/python -m pytest tests/integration tests/browser -n 4 --dist loadscope --no-loadscope-reorder
	$(BIN)/python -m pytest tests/unit tests/structure -n 3 --dist worksteal

test-fast: setup
	$(BIN)/python -m pytest tests/unit tests/structure -n 3 --dist worksteal

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint contracts/layouts dbt/models dbt/tests

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

dev: example
	mkdir -p $(DAGSTER_HOME)
	cp -n dagster.yaml $(DAGSTER_HOME)/dagster.yaml || true
	CRADLE_TODAY=$${CRADLE_TODAY:-$(EXAMPLE_TODAY)} $(BIN)/dagster dev -h 127.0.0.1 -p 3000 -w workspace.yaml

bench: setup
	$(BIN)/python -m benchmarks

# Every benchmark once over next to nothing: that it runs, not how fast. The short ones are in `make test` too.
bench-smoke: setup
	$(BIN)/python -m benchmarks._smoke

# The attacker of the tests against the product on a thousand random networks; CI runs fifty.
disclosure-long: setup
	DISCLOSURE_LONG=1 $(BIN)/python -m pytest -q tests/unit/disclosure_attack/test_product.py

# Runs killed at a thousand moments (CI kills eight), and faults of machines and servers.
torture: setup
	CRADLE_KILLS=1000 $(BIN)/python -m pytest -q tests/integration/test_killed_runs.py
	CRADLE_DAEMON_KILLS=20 $(BIN)/python -m pytest -q tests/long/test_machine_faults.py tests/long/test_killed_servers.py

# What takes too long for every change: full disks, failing buckets, killed servers, everything at once, system calls.
test-long: setup
	$(BIN)/python -m pytest -q tests/long

# A sample of planted faults in the rooms of rules, always the same one.
mutation: setup
	$(BIN)/python -m tests.mutants --sample 100 --seed 1

# Random events in the bucket against a simple model of the ledger: twenty thousand; CI takes eight.
events: setup
	CRADLE_EVENTS=20000 $(BIN)/python -m pytest -q tests/unit/intake/test_ledger_model.py -n 2

# Findings of the member's page, of the command and of a run, compared for two hundred random folders; CI takes four.
folders: setup
	CRADLE_FOLDERS=200 $(BIN)/python -m pytest -q tests/browser/test_member_page.py -k findings_of_the_page

# Every page of the report in both editions held to axe-core's rules at three widths; CI takes one of each kind.
pages: setup
	CRADLE_PAGES=all $(BIN)/python -m pytest -q tests/browser/test_report_pages.py -k axe

fuzz: setup
	$(BIN)/python -m tests.fuzz --files 10000 --grow
	CRADLE_HOSTILE_LAYOUTS=2000 $(BIN)/python -m pytest -q tests/unit/intake/test_layouts_hostile.py
	$(BIN)/python -m tests.fuzz.truth --files 2000
	$(BIN)/python -m tests.fuzz.seeds --files 2000

# Superset in an environment of its own, as it could be installed on one day, and the dashboard of bi/superset in it.
SUPERSET := .superset
SUPERSET_DAY := 2026-06-01
export SUPERSET_HOME ?= $(CRADLE_HOME)/superset
SUPERSET_SETTINGS := SUPERSET_CONFIG_PATH=$(CURDIR)/bi/superset_config.py FLASK_APP=superset SCARF_ANALYTICS=false
superset-env: $(SUPERSET)/.ready

$(SUPERSET)/.ready: bi/requirements.txt
	$(PYTHON) -m venv $(SUPERSET)
	$(SUPERSET)/bin/python -m pip install --quiet uv
	$(SUPERSET)/bin/uv pip install --quiet --python $(SUPERSET)/bin/python --exclude-newer $(SUPERSET_DAY) -r bi/requirements.txt
	touch $@

# These need SUPERSET_SECRET_KEY in the environment. The first is for once: it asks for the password of user admin.
superset-admin: superset-env
	mkdir -p $(SUPERSET_HOME)
	$(SUPERSET_SETTINGS) $(SUPERSET)/bin/superset db upgrade
	$(SUPERSET_SETTINGS) $(SUPERSET)/bin/superset fab create-admin --username admin --firstname Data --lastname Team --email admin@localhost
	$(SUPERSET_SETTINGS) $(SUPERSET)/bin/superset init

# `make superset-load ON=postgres` shows the server's marts instead of current.duckdb.
ON := duckdb
superset-load: setup superset-env
	$(SUPERSET_SETTINGS) $(BIN)/python -m bi.load --superset $(SUPERSET) --on $(ON)

superset: superset-env
	$(SUPERSET_SETTINGS) $(SUPERSET)/bin/superset run -h 127.0.0.1 -p 8088

# A real Superset over DuckDB and over PostgreSQL.
test-superset: setup superset-env
	$(BIN)/python -m pytest -q tests/long/test_superset.py

# Spark in an environment of its own: what `requirements-spark.lock` adds to the project's lock (docs/spark.md), and the
# lock's packages as `make setup` installed them, linked and not installed a second time; no package is in both.
SPARK := .spark
SPARK_OUT ?= $(CRADLE_HOME)/spark
spark-env: $(SPARK)/.ready

spark-packages: $(SPARK)/.packages

$(SPARK)/.packages: requirements.lock requirements-spark.lock
	rm -rf $(SPARK)
	$(PYTHON) -m venv $(SPARK)
	$(SPARK)/bin/python -m pip install --quiet --no-deps --require-hashes -r requirements-spark.lock
	touch $@

$(SPARK)/.ready: $(SPARK)/.packages $(VENV)/.ready
	cp -aln $(VENV)/lib/python3*/site-packages/. $(SPARK)/lib/python3*/site-packages/
	touch $@

# A cluster of this machine is started, the example network goes through both engines, every table is compared, and the
# cluster is stopped. `make spark KILL=models`, KILL=analysis or KILL=disclosure kills a worker on the way;
# SPARK_DROP=FOLDER takes another network, SPARK_SEEDS=FOLDER its reference data.
SPARK_SEEDS ?= $(CURDIR)/seeds
spark: $(if $(SPARK_DROP),setup,example) spark-env spark-deps
	rm -rf $(SPARK_OUT)
	$(SPARK)/bin/python -m benchmarks.spark_run --drop $(or $(SPARK_DROP),$(CRADLE_HOME)/drop) --seeds $(SPARK_SEEDS) --out $(SPARK_OUT) --today $${CRADLE_TODAY:-$(EXAMPLE_TODAY)} $(if $(KILL),--kill $(KILL))

test-spark: setup spark-env spark-deps
	$(SPARK)/bin/python -m pytest -q tests/long/test_spark_cluster.py tests/long/test_spark_secrets.py tests/long/test_spark_units.py tests/long/test_spark_run.py

# In CI: one small network through both engines, on a cluster of this machine.
spark-smoke: setup spark-env spark-deps
	$(SPARK)/bin/python -m pytest -q tests/long/test_spark_run.py -k None

# What the project's lock does not hold already. Needs uv on the path.
spark-lock:
	mkdir -p build
	uv pip compile pyproject.toml --extra dev --extra spark --constraint requirements.lock --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url --no-header --quiet -o build/spark.lock
	echo "# What a run on Spark needs beside requirements.lock, every package with its hashes. Made by \`make spark-lock\`; installed by \`make spark-env\`." > requirements-spark.lock
	awk 'NR == FNR { held[$$1] = $$1 ~ /==/; next } /==/ { keep = !held[$$1] } keep' requirements.lock build/spark.lock >> requirements-spark.lock

spark-deps:
	@command -v java >/dev/null || \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends openjdk-17-jre-headless >/dev/null; }

docs: setup
	$(BIN)/python -m docs.generate
	$(BIN)/python -m docs.site --out build/docs

# What tests need beside the lock: a browser for pages, a Ceph gateway for bucket policies, a server for BI tools, whose
# programs lie off the path.
SYSTEM_PACKAGES := chromium radosgw ceph-mon ceph-osd postgresql strace
SYSTEM_PROGRAMS := chromium strace radosgw ceph-mon ceph-osd /usr/lib/postgresql/*/bin/pg_ctl
system-deps:
	@if (for tool in $(SYSTEM_PROGRAMS); do command -v $$tool >/dev/null || exit 1; done); then echo "system packages are installed"; else \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(SYSTEM_PACKAGES) >/dev/null; fi

clean:
	rm -rf $(VENV) $(SUPERSET) $(SPARK) data build *.egg-info dbt/target dbt/logs logs .pytest_cache .mypy_cache .ruff_cache .hypothesis
