# Everything a contributor does, one target each.
OUT ?= demo-out
# One more than cores: many tests wait, for a server that is cut off or a clock.
WORKERS ?= $(shell expr $$(nproc) + 1)
BIN := .venv/bin
ROOMS := ler ingest conflicts geoapi

.DEFAULT_GOAL := help
.PHONY: help setup setup-tests compiled demo test test-all test-qgis check lock clean

help: ## show the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what the platform needs: system packages and .venv
	@scripts/setup

setup-tests:
	@scripts/setup --tests

demo: setup ## show the platform at work, from owners' files to packages; OUT=demo-out
	$(BIN)/ler demo --out $(OUT)

# Tests start hundreds of processes, each of which would compile our modules anew where Python may not write its cache.
compiled: setup-tests
	@$(BIN)/python -m compileall -q $(ROOMS)

test: compiled ## run the tests, but for those that take minutes
	$(BIN)/pytest -n $(WORKERS) --dist loadfile -m "not nightly"

test-all: compiled ## run all tests: for the night
	$(BIN)/pytest -n $(WORKERS) --dist loadfile

test-qgis: setup ## open a package in Debian's QGIS, which it installs
	@scripts/test-qgis

check: setup ## lint, formatting, types and the rule between the packages
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

lock: ## recompile requirements.lock from pyproject.toml (needs uv)
	uv pip compile --universal --generate-hashes --python-version 3.12 --all-extras --no-emit-index-url \
	  --no-emit-find-links --custom-compile-command "make lock" -o requirements.lock pyproject.toml

clean: ## remove everything that was made here; the database stays
	rm -rf .venv $(OUT) dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
