# Ratecard. Needs Python 3.11 or newer with venv, and make; everything else goes into .venv.
PYTHON ?= python3
PORT ?= 8000
HOST ?= 127.0.0.1
BENCH_ROWS ?= 1000000
WORKERS ?= auto

.PHONY: setup dev run test lint bench lock schema
.DEFAULT_GOAL := run

setup:  ## create .venv with the locked dependencies
	@PYTHON="$(PYTHON)" sh deploy/install.sh runtime

dev:  ## the same with what the tests and checks need
	@PYTHON="$(PYTHON)" sh deploy/install.sh dev

# Where Python may not write compiled code beside its sources, every part would compile all of it anew, 2 s each.
run: setup  ## PORT=8000 HOST=127.0.0.1 DATA_DIR=.data
	@[ -z "$$PYTHONDONTWRITEBYTECODE" ] || \
		export PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX="$(CURDIR)/.venv/bytecode"; \
	[ -z "$$DATA_DIR" ] || export RATECARD_DATABASE_URL="embedded://$$DATA_DIR"; \
	exec .venv/bin/python manage.py quickstart --port "$(PORT)" --host "$(HOST)"

test: dev  ## PYTEST_ARGS="-k prices -x" WORKERS=auto; every worker has a database of its own and takes whole files
	@# Dozens of tests start processes of their own: without kept bytecode each would compile Django anew, three seconds.
	@unset PYTHONDONTWRITEBYTECODE; exec .venv/bin/python -m pytest -n "$(WORKERS)" --maxprocesses 8 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

lint: dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy .
	.venv/bin/python manage.py makemigrations --check --dry-run

bench: setup  ## BENCH_ROWS=1000000
	@BENCH_ROWS="$(BENCH_ROWS)" exec .venv/bin/python -m benchmarks

lock: dev  ## resolve the dependencies anew; the lock files name no registry
	@sh deploy/install.sh lock

schema: dev  ## config/schema.sql anew from the migrations, after adding one
	@.venv/bin/python manage.py write_schema
