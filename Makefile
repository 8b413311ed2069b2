# `make demo` and `make test` set up what they need in .venv; `make help` lists the rest.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
READY := $(VENV)/.ready
AUTOGRADER := $(BIN)/python -m autograder

.PHONY: help setup demo lab release grade test lint format test-browser gallery constraints clean kill-table steady attack-table fuzz bench

#@ Begin

help:  ## list the targets
	@awk -F ':.*## ' '/^#@ / {print "\n" substr($$0, 4)} \
	  /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## make .venv and install the project with everything it needs

$(READY): pyproject.toml autograder/pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "This needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { echo "Could not make .venv. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "Setting up .venv (once; a few minutes) …"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable . --editable './autograder[dev]'
	@touch $@

demo: $(READY)  ## release a lesson, grade a made-up class, print marks, write feedback
	@$(AUTOGRADER) demo

#@ Teach and grade

lab: $(READY)  ## open the student notebooks in JupyterLab
	@$(AUTOGRADER) lab

release: $(READY)  ## make course/release from course/source
	@$(AUTOGRADER) release

grade: $(READY)  ## grade what stands in course/submitted
	@$(AUTOGRADER) grade

#@ Develop

test: lint  ## run the tests
	$(BIN)/python -m pytest -n auto

lint: $(READY)  ## check style, imports and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/mypy

format: $(READY)  ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test-browser: $(READY)  ## click through the stepper in a real JupyterLab (chromium, chromium-driver)
	$(BIN)/python -m pytest tests/browser -rs

gallery: $(READY)  ## draw all graphs of the course on one page, build/gallery.html
	@$(BIN)/python -m gallery

constraints: $(READY)  ## resolve constraints.txt anew, for the oldest Python that is supported
	@$(BIN)/python .ci/constraints.py

clean:  ## remove everything that was made, .venv included
	rm -rf $(VENV) demo lab .pytest_cache .ruff_cache .mypy_cache .hypothesis

#@ Measure

kill-table: $(READY)  ## how every catalogued answer fares in the hidden tests
	@$(AUTOGRADER) kill-table

steady: $(READY)  ## judge every right answer with 200 seeds; none may lose a point (about 50 minutes)
	@$(AUTOGRADER) kill-table --seeds 200

attack-table: $(READY)  ## every entry of the attack suite, here and in plain nbgrader (about half an hour)
	@PYTHONPATH=tests $(BIN)/python -m attacks.table

N ?= 2000
SEED ?= 0
fuzz: $(READY)  ## grade mutated submissions: N=2000 SEED=0 (about 30 minutes)
	@PYTHONPATH=tests $(BIN)/python -m attacks.fuzz --count $(N) --seed $(SEED)

bench: $(READY)  ## measure the engine against hand-written NumPy and its peers (about 8 minutes)
	$(BIN)/python -m benchmarks
