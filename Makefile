# Two commands set everything up: `make demo` and `make test`. Nothing outside this folder is touched.

PYTHON ?= $(shell for name in python3.12 python3.11 python3; do \
	command -v $$name >/dev/null && $$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null \
	&& echo $$name && break; done)
VENV := .venv
BIN := $(VENV)/bin
ORTHO ?=
DEMO ?=
SERVE ?=
MAP ?=
WORKERS ?= auto

.DEFAULT_GOAL := help
.PHONY: help demo map serve check test format pins bench clean

help:  ## This list.
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or 3.12 is needed: name it with make PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

# What `make demo` needs: the service on CPU and the generator of landscapes; no torch.
$(VENV)/demo.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[cpu,landscapes]'
	@touch $@

# Everything: also torch (the CPU build that constraints.txt names) and the tools of the checks.
$(VENV)/dev.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[cpu,openvino,train,test]'
	@touch $@ $(VENV)/demo.stamp

# The demo's store, uploads and maps lie in demo/home, unless ORTHOSCAPE_HOME names another place.
demo: export ORTHOSCAPE_HOME ?= $(CURDIR)/demo/home
demo: export ORTHOSCAPE_EXAMPLE ?= $(CURDIR)/demo/orthophoto.tif

demo: $(VENV)/demo.stamp $(if $(strip $(ORTHO)),,demo/orthophoto.tif)  ## The service on this machine: an orthophoto's map fills in (ORTHO=mine.tif).
	@$(BIN)/orthoscape serve --open "$(or $(ORTHO),demo/orthophoto.tif)" $(DEMO)

map: $(VENV)/demo.stamp $(if $(strip $(ORTHO)),,demo/orthophoto.tif)  ## The same map without a server, into demo/ (MAP="--confidence" and the like).
	@mkdir -p demo
	@$(BIN)/orthoscape predict "$(or $(ORTHO),demo/orthophoto.tif)" -o demo/landcover.tif \
		--preview demo/landcover.png --force $(MAP)

serve: $(VENV)/demo.stamp  ## The service on this machine, with your own store and maps.
	@$(BIN)/orthoscape serve $(SERVE)

demo/orthophoto.tif: | $(VENV)/demo.stamp
	@mkdir -p demo
	@$(BIN)/python -m training.data.orthophoto $@

check: $(VENV)/dev.stamp  ## Format, lint, types, walls, fast tests.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest -q -n $(WORKERS) -m "not slow"

test: $(VENV)/dev.stamp  ## All checks and all tests.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest -n $(WORKERS)

format: $(VENV)/dev.stamp  ## Put files into the house's form.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

pins: $(VENV)/dev.stamp  ## Write constraints.txt anew from what is installed: after `make test` passed with it.
	@sed -n '/^#/p' constraints.txt > constraints.new
	@$(BIN)/python -m pip freeze --exclude-editable | sed 's/+cpu$$//' >> constraints.new
	@grep '^onnxruntime-gpu==' constraints.txt >> constraints.new
	@mv constraints.new constraints.txt

bench: $(VENV)/dev.stamp  ## Measure, and write docs/benchmarks.md; some 25 minutes on two cores.
	$(BIN)/python -m benchmarks.run

clean:  ## Remove the environment and what demo and bench made.
	rm -rf $(VENV) demo .bench build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
