# Each target sets up what it needs in .venv, from Python 3.11 or 3.12 alone.
# A part of the tests: make test ARGS="tests/unit/photons -k pileup"

VENV := .venv
BIN := $(VENV)/bin
# Numba keeps what it has compiled, so that no first scan has to wait for it; Python too, so that no
# process of a stack compiles our modules anew where PYTHONDONTWRITEBYTECODE is set.
KERNELS := import pipeline.reducer.femtomax_reducer as r, pipeline.worker.femtomax_worker as w; \
	import pipeline.diffraction.integration as i, pipeline.photons.matched as m; \
	w.compile_kernels(); r.compile_kernels(); i.warm_up(); m.warm_up()
SOURCES := $(shell find femtotango pipeline tango_db -name '*.py')

.PHONY: demo test test-fast faults soak bench check clean

demo: $(VENV)/.compiled
	$(BIN)/femtotango demo --output out

test: $(VENV)/.installed-for-tests $(VENV)/.compiled
	scripts/gui-libraries
	VENV=$(VENV) scripts/test $(ARGS)

test-fast: $(VENV)/.installed-for-tests $(VENV)/.compiled
	VENV=$(VENV) scripts/test fast

faults: $(VENV)/.installed-for-tests $(VENV)/.compiled
	VENV=$(VENV) scripts/faults $(ARGS)

soak: $(VENV)/.installed-for-tests $(VENV)/.compiled
	$(BIN)/python tests/soak/run.py $(ARGS)

bench: $(VENV)/.installed-for-tests $(VENV)/.compiled
	$(BIN)/python tests/bench/run.py $(ARGS)

check: $(VENV)/.installed-for-tests
	VENV=$(VENV) scripts/check

clean:
	rm -rf $(VENV) out

$(BIN)/python:
	"$$(scripts/find-python)" -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.installed-for-tests: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[dev,gui,sardana]'
	touch $@ $(VENV)/.installed

# Sources that have changed too: else each worker of each stack would compile at the same time.
$(VENV)/.compiled: $(VENV)/.installed $(SOURCES)
	$(BIN)/python -c "$(KERNELS)"
	$(BIN)/python -m compileall -q femtotango pipeline tango_db
	touch $@
