# `make` or `make help` lists what there is. `make demo` and `make test` install what they need (deploy/prepare.sh).

.DEFAULT_GOAL := help
.PHONY: help demo test quick matrix coverage lint types check bench soak chaos pins clean

PYTHON_IN_VENV := .venv/bin/python
ARGS ?=
DURATION ?= 0
STREAMERS ?= 3
PORT ?= 8000
KEEP ?=
CHANNELS ?= 1
PAIR ?=
HOURS ?= 1
STEPS ?= 100000
SEED ?=
WORKERS ?=
# What needs more than the environment: a studio, a browser, PostgreSQL.
NOT_QUICK := attacks bench browser deploy e2e machine matrix simulation daemon/shared daemon/cli/test_pair.py \
	daemon/composition/test_pair.py

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

demo: ## a real OBS, streamers taking turns, until Ctrl-C or for DURATION=60 (STREAMERS=3 PORT=8000 KEEP=folder CHANNELS=2 PAIR=1)
	@deploy/prepare.sh $(if $(PAIR),pair,demo)
	@$(PYTHON_IN_VENV) -m daemon demo --duration $(DURATION) --streamers $(STREAMERS) --port $(PORT) --channels $(CHANNELS)$(if $(PAIR), --pair)$(if $(KEEP), --keep '$(KEEP)')

# One more than there are processors: those on the studio wait for most of their time.
test: ## every test, WORKERS=3 at a time (ARGS="-k name", ARGS="-n 0" for one process)
	@deploy/prepare.sh test
	$(PYTHON_IN_VENV) -m pytest -n $(or $(WORKERS),3) $(ARGS)

quick: ## those of the rules and the adapters that need neither studio nor long, WORKERS=3 at a time
	@deploy/prepare.sh python
	$(PYTHON_IN_VENV) -m pytest -n $(or $(WORKERS),3) -m 'not real and not slow' $(NOT_QUICK:%=--ignore tests/%) $(ARGS)

matrix: ## roots of Debian 13 and sid, and the tests on their OBS and Python (ARGS="--only sid --cells obs,demo,tests")
	@deploy/prepare.sh matrix
	$(PYTHON_IN_VENV) -m tests.matrix $(ARGS)

# One run for each: what the shell's tests reach of the rules is no proof of these.
coverage: ## the branches of the rules and of the shell that their own tests reach, against the floors in pyproject.toml
	@deploy/prepare.sh python
	$(PYTHON_IN_VENV) -m pytest -n $(or $(WORKERS),2) --timeout=0 --cov=statemachine --cov-report= tests/statemachine -m 'not slow and not speed' $(ARGS)
	$(PYTHON_IN_VENV) -m pytest -n $(or $(WORKERS),3) --cov=daemon --cov-append --cov-report= tests/daemon -m 'not real and not slow and not speed' $(ARGS)
	$(PYTHON_IN_VENV) -m tests.floors

lint: ## ruff (the shell scripts are checked by a test)
	@deploy/prepare.sh python
	$(PYTHON_IN_VENV) -m ruff check
	$(PYTHON_IN_VENV) -m ruff format --check

types: ## mypy, strict
	@deploy/prepare.sh python
	$(PYTHON_IN_VENV) -m mypy

check: lint types test ## lint, types and test

bench: ## benchmarks: against other ways, under load, at length (ARGS="--only hooks", ARGS="--only soak-obs --soak 200")
	@deploy/prepare.sh demo
	$(PYTHON_IN_VENV) -m tests.bench $(ARGS)

soak: ## search the rules for STEPS=100000 steps (SEED=n), the whole daemon in simulated time, kills and bit flips
	@deploy/prepare.sh python
	MOTHERSTREAM_KILLS=100 $(PYTHON_IN_VENV) -m pytest --timeout=0 tests/daemon/journal/test_killed.py
	MOTHERSTREAM_FLIPS=1000 $(PYTHON_IN_VENV) -m pytest --timeout=0 tests/simulation/test_damaged_database.py
	$(PYTHON_IN_VENV) -m tests.statemachine.soak --steps $(STEPS)$(if $(SEED), --seed $(SEED))
	MOTHERSTREAM_PAIR_STEPS=4000 $(PYTHON_IN_VENV) -m pytest --timeout=0 tests/statemachine/test_pair.py
	HYPOTHESIS_PROFILE=soak $(PYTHON_IN_VENV) -m pytest --timeout=0 tests/statemachine tests/simulation $(ARGS)

chaos: ## kill everything at random, on a real OBS, for HOURS=1
	@deploy/prepare.sh demo
	$(PYTHON_IN_VENV) -m tests.e2e.chaos --hours $(HOURS) $(ARGS)

pins: ## update constraints.txt to the newest versions that pyproject.toml allows
	deploy/pin.sh

clean: ## remove everything that these targets built
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
