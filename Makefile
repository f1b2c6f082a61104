# `make run` and `make test` set themselves up; everything they need goes into .venv.
PYTHON ?= python3
SHELL := bash
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
UV_VERSION := 0.13.9
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup run test lint lint-sql format dev dashboard screenshots sample nightly status bench judge docs olist lock clean

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

setup: $(READY) ## Install the locked dependencies into .venv

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] < (3, 13) else "Inflight needs Python 3.11 or 3.12; say which with make PYTHON=python3.11")'
	@test -x $(UV) || ($(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet uv==$(UV_VERSION))
	UV_COMPILE_BYTECODE=1 $(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

run: setup ## Make the example company if there are no extracts, run the nightly job, say what it published
	$(BIN)/inflight sample --if-empty
	$(BIN)/inflight nightly

sample: setup ## Make the example company's extracts
	$(BIN)/inflight sample

nightly: setup ## Run the nightly job on what lies in extracts/
	$(BIN)/inflight nightly

status: setup ## What is published, what landed, what was set aside
	$(BIN)/inflight status

dev: setup ## Dagster's web UI and daemon on 127.0.0.1:3000
	$(BIN)/inflight dev

dashboard: setup ## What is published, in the browser on 127.0.0.1:8501
	$(BIN)/inflight dashboard

screenshots: setup ## The dashboard's pages as pictures, for docs/images; needs Chromium
	$(BIN)/python -m dashboard.screenshots

test: setup lint ## All tests
	$(BIN)/python -m pytest

lint: setup ## Style of Python
	$(BIN)/ruff check orchestration dashboard tests bench examples
	$(BIN)/ruff format --check orchestration dashboard tests bench examples

lint-sql: setup ## Style of SQL: minutes, so a command of its own; name files to be quick: make lint-sql SQL=models/marts
	@mkdir -p target/lint/warehouse
	INFLIGHT_DATA=target/lint $(BIN)/sqlfluff lint --nocolor $(or $(SQL),models tests/data) | tail -40; test $${PIPESTATUS[0]} -eq 0

format: setup ## Let ruff write the style it wants
	$(BIN)/ruff check --fix orchestration dashboard tests bench examples
	$(BIN)/ruff format orchestration dashboard tests bench examples

bench: setup ## A full night and a 1% night, against DuckDB alone: make bench DEALS=1000000
	$(BIN)/python -m bench $(if $(DEALS),--deals $(DEALS))

judge: setup ## What takes long: the longer tests, and the job killed at 20 random moments
	$(BIN)/python -m pytest -m judge
	$(BIN)/python -m bench.kill

docs: setup ## The page of metrics, and dbt's docs as one file: target/docs/index.html
	$(BIN)/inflight docs

olist: setup ## Run the job on the Olist funnel: make olist FROM=<folder of its CSV files>
	$(BIN)/python -m examples.olist $(FROM)

lock: $(UV) ## Resolve the dependencies anew
	$(UV) pip compile --quiet pyproject.toml --group dev --python-version 3.11 --universal --generate-hashes --no-annotate --no-header -o requirements.lock

clean: ## Remove .venv and what dbt compiled; data/ stays
	rm -rf $(VENV) target logs
