# With python3 (3.11 or newer) and make there, and nothing else prepared:  make demo   or   make test
PYTHON ?= python3
WORKERS ?= 2
ARGS ?=
export PYTHON

CHECKS := check-format check-lint check-types check-imports check-house
.DEFAULT_GOAL := help
.PHONY: help demo test check $(CHECKS) clean clean-all

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | while IFS="	" read -r name text; do \
	  printf '  make %-10s %s\n' "$$name" "$$text"; done

demo: .venv/.ready ## core and console on the paper market (no terminal: headless, DEMO_SECONDS=60, then a report)
	@.venv/bin/andon demo

test: .venv/.ready ## the whole suite, real servers and terminals included (ARGS="tests/engine -k gate" for a part)
	@.ci/packages
	@.venv/bin/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

check: .venv/.ready ## format, lint, types, import contracts and house rules; all of them, even when one fails
	@$(MAKE) --no-print-directory -k $(CHECKS)

check-format:
	@.venv/bin/ruff format --check --quiet --output-format concise .

check-lint:
	@.venv/bin/ruff check --quiet --output-format concise .

check-types:
	@.venv/bin/mypy --no-error-summary

check-imports: # its banner is only worth reading when a contract is broken
	@said=$$(.venv/bin/lint-imports 2>&1) || { printf '%s\n' "$$said"; exit 1; }

check-house:
	@.venv/bin/python -m pytest -q tests/house

clean: ## remove caches and reports
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist snapshot_report.html
	@find . -name __pycache__ -not -path './.venv/*' -not -path './.uv/*' -prune -exec rm -rf {} +

clean-all: clean ## the environment too
	@rm -rf .venv .uv

.venv/.ready: uv.lock pyproject.toml .ci/setup
	@.ci/setup
