# Two commands set everything up: `make demo` and `make test`. Nothing outside this folder is touched.

PYTHON ?= $(shell for name in python3.12 python3.11 python3; do \
	command -v $$name >/dev/null && $$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' \
	&& echo $$name && break; done)
VENV := .venv
BIN := $(VENV)/bin
ORTHO ?=
WORKERS ?= auto

.DEFAULT_GOAL := help
.PHONY: help demo check test format bench clean

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

demo: $(VENV)/demo.stamp  ## Map an orthophoto (ORTHO=mine.tif for one's own) into demo/.
	@mkdir -p demo
ifeq ($(strip $(ORTHO)),)
	@test -f demo/orthophoto.tif || $(BIN)/python -m training.data.orthophoto demo/orthophoto.tif
endif
	@$(BIN)/orthoscape predict "$(or $(ORTHO),demo/orthophoto.tif)" -o demo/landcover.tif \
		--preview demo/landcover.png --force $(PREDICT)

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

bench: $(VENV)/dev.stamp  ## Measure, and write docs/benchmarks.md; some 20 minutes on two cores.
	$(BIN)/python -m benchmarks.run

clean:  ## Remove the environment and what demo and bench made.
	rm -rf $(VENV) demo .bench build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
