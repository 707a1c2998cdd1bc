# `make` lists the targets. Two of them are all a newcomer needs: `make deploy` and `make check`.
SHELL := /bin/bash
PYTHON ?= python3
ENV ?= dev
VENV := .venv
BIN := $(VENV)/bin
# One more than processors: tests wait for servers as much as they compute.
WORKERS ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) + 1 )))
CODE := build.py deploy.py rehearse.py settings contract templates compiler deployer localaws rules pages validator cutover rehearsal benchmarks
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --require-hashes

.DEFAULT_GOAL := help
.PHONY: help deploy build all rehearse check format lint types imports test versions bench lock golden pictures clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

deploy: $(VENV)/.local build ## set up, build one environment, review it and deploy it to the embedded AWS (ENV=dev)
	$(BIN)/python deploy.py --env $(ENV) --local --yes

build: $(VENV)/.build ## set up, then compile and lint one environment to out/ (ENV=dev)
	$(BIN)/python build.py --env $(ENV)

all: $(VENV)/.build ## the same for dev, staging and prod
	for env in dev staging prod; do $(BIN)/python build.py --env $$env || exit; done

rehearse: $(VENV)/.local ## set up, then rehearse the whole migration on this machine (ENV=dev)
	$(BIN)/python rehearse.py --env $(ENV)

check: $(VENV)/.check lint types imports test ## set up, then everything that must pass: format, lint, types, import direction, tests

format: $(VENV)/.check ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(VENV)/.check ## format and lint, changing nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.check ## types of everything but the tests
	$(BIN)/mypy $(CODE)

imports: $(VENV)/.check ## imports point only left
	$(BIN)/lint-imports

test: $(VENV)/.check ## unit and integration tests, with coverage
	$(BIN)/pytest --numprocesses $(WORKERS) --dist worksteal --cov

versions: $(VENV)/.build ## engine and runtime versions in use, and how long they last
	$(BIN)/python build.py versions

bench: $(VENV)/.check ## the figures of benchmarks/README.md
	$(BIN)/python -m benchmarks

golden: $(VENV)/.check ## rewrite the golden templates after a wanted change
	$(BIN)/pytest --quiet tests/golden --update-golden

pictures: $(VENV)/.check ## the review of the README, as text and picture, made anew
	$(BIN)/python docs/review_example.py

lock: $(VENV)/.check ## resolve requirements*.in anew, with hashes
	for name in requirements requirements-local requirements-dev \
	  benchmarks/requirements-peers benchmarks/requirements-reladiff benchmarks/requirements-data-validator; do \
	  $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	    --no-header --no-emit-index-url --no-emit-find-links $$name.in --output-file $$name.txt || exit; \
	done

clean: ## remove what is generated, the virtual environment too
	rm -rf out .cache $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage*
	find . -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/.build: requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --requirement requirements.txt
	touch $@

$(VENV)/.local: requirements-local.txt $(VENV)/.build
	$(PIP) --requirement requirements-local.txt
	touch $@

$(VENV)/.check: requirements-dev.txt $(VENV)/.local
	$(PIP) --requirement requirements-dev.txt
	touch $@
