# Every target sets up what it needs first (virtual environment, packages, system libraries).
SHELL := /bin/bash
PYTHON_VENV := .venv/bin/python
# pytest-qt and VTK need an X server; Xvfb stands in for one (which must not reset when its first client leaves).
XVFB := xvfb-run -a -s "-screen 0 1600x1200x24 +extension GLX -noreset"

.PHONY: help setup demo app test test-slow bench torture
help:
	@echo "make demo    simulate, forecast, rotate, export a comparison to out/demo/"
	@echo "make app     open the desktop application"
	@echo "make test    the test suite, without what takes minutes"
	@echo "make test-slow  the rest of it"
	@echo "make bench   the tables of docs/benchmarks.md, measured again"
	@echo "make setup   set-up alone; make laws, make screenshots: docs/laws.md, the pictures"
	@echo "make torture faults, bad input and long use at full size; a table in out/torture/"

.venv/.ready: pyproject.toml constraints.txt .ci/setup
	@.ci/setup

setup: .venv/.ready

demo: setup
	@$(PYTHON_VENV) -m surrogate.demo --out out/demo

app: setup
	@$(PYTHON_VENV) -m app

test: setup
	@QT_API=pyside6 PYTEST_QT_API=pyside6 $(XVFB) $(PYTHON_VENV) -m pytest -n 2 --dist loadgroup

test-slow: setup
	@QT_API=pyside6 PYTEST_QT_API=pyside6 $(XVFB) $(PYTHON_VENV) -m pytest -n 2 --dist loadgroup -m "slow and not gpu"

# one row alone: make torture ROW=R22
torture: setup
	@ISOTWIN_TORTURE=full QT_API=pyside6 PYTEST_QT_API=pyside6 $(XVFB) $(PYTHON_VENV) -m pytest tests/torture -m torture -q \
		$(if $(ROW),-k "test_$(subst -,_,$(ROW))_")

bench: setup
	@$(PYTHON_VENV) -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[bench]'
	@$(PYTHON_VENV) -m physics.bench --out out/bench
	@$(PYTHON_VENV) -m surrogate.bench.forecasts --out out/bench
	@$(PYTHON_VENV) -m surrogate.bench.layers --out out/bench
	@$(PYTHON_VENV) -m surrogate.bench.pair_rates --out out/bench
	@QT_API=pyside6 $(XVFB) $(PYTHON_VENV) -m app.bench --out out/bench

.PHONY: screenshots
screenshots: setup
	@QT_API=pyside6 $(XVFB) $(PYTHON_VENV) -m app.views.screenshots --out docs/screenshots

.PHONY: laws
laws: setup
	@$(PYTHON_VENV) -m surrogate.studies.laws --out out/laws --resume
