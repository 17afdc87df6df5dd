# Set-up runs by itself, and only when one of its inputs changed. GNU make 3.81 (macOS) is enough.

.DEFAULT_GOAL := help
.PHONY: bench clean distclean docs help lab lab-test lint relock setup snapshots synth test verdict

# The first Python that really runs (a pyenv shim may not) and can make a virtual environment.
SUITABLE := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c '$(SUITABLE)' 2>/dev/null && echo $$p && break; done)

# A set-up step is done when its stamp exists. Its name holds a checksum of the step's inputs and of this folder's path,
# which the environments contain.
stamp = $(1)/.ready-$(shell (pwd; cat $(2)) | cksum | tr ' ' -)
PIPENV_READY := $(call stamp,.tools/pipenv,tools/pipenv.txt)
PYTHON_READY := $(call stamp,.venv,Pipfile Pipfile.lock pyproject.toml tools/pipenv.txt)
NODE_READY := $(call stamp,node_modules,package.json package-lock.json .npmrc .nvmrc)

# What the caller's shell has set must not lead pip and Pipenv to another environment or project.
unexport VIRTUAL_ENV PYTHONHOME PYTHONPATH PIP_PREFIX PIP_TARGET PIP_USER
unexport $(filter-out PIPENV_PYPI_MIRROR PIPENV_TIMEOUT,$(filter PIPENV_%,$(.VARIABLES)))
# Without bytecode every run would compile the project again.
unexport PYTHONDONTWRITEBYTECODE
PIPENV := PIPENV_VENV_IN_PROJECT=1 PIPENV_IGNORE_VIRTUALENVS=1 PIPENV_DONT_LOAD_ENV=1 PIPENV_NOSPIN=1 \
	PATH="$(CURDIR)/.tools/pipenv/bin:$$PATH" pipenv

# jsii takes the first `node` on PATH.
RUN := PATH="$(CURDIR)/node_modules/.bin:$$PATH" .venv/bin/python

# $(call venv,ARGUMENTS) makes a virtual environment; $(call quietly,COMMANDS) shows output only of what fails.
venv = '$(PYTHON)' -c '$(SUITABLE)' 2>/dev/null && '$(PYTHON)' -m venv --clear $(1) || { \
	echo "Python 3.11, 3.12 or 3.13 with venv is needed; name one: make PYTHON=/path/to/python" >&2; exit 1; }
quietly = log=$$(mktemp); if ( $(1) ) >"$$log" 2>&1; then rm -f "$$log"; else cat "$$log" >&2; rm -f "$$log"; exit 1; fi

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

setup: $(PYTHON_READY) $(NODE_READY) ## Python and Node packages, if they changed (PYTHON=... picks the interpreter)
	@:

synth: setup ## synthesize MESH_ENVIRONMENT (demo unless set) into cdktf.out
	@$(RUN) main.py

test: setup ## all tests; ARGS="-k name" narrows them
	@CHECKPOINT_DISABLE=1 terraform version 2>/dev/null | awk ' \
		/^Terraform v/ { found = substr($$2, 2); split(found, v, "."); enough = v[1] > 1 || v[1] == 1 && v[2] >= 11 } \
		END { if (enough) print "Terraform " found " found"; \
		else print "Terraform 1.11 or later not found: tests marked `terraform` are skipped" }'
	@$(RUN) -m pytest $(ARGS)

lab: setup ## the environment `lab` on real agents on this machine (Linux, root; Go the first time); ARGS="--clients 2"
	@.venv/bin/mesh lab up lab $(ARGS)

lab-test: setup ## tests with real Consul, Nomad and Envoy (Linux, root; Go the first time); ARGS as for test
	@$(RUN) -m pytest tests/lab $(ARGS)

CASES ?= 20000
verdict: setup ## our judge against the real Consul on CASES=20000 generated cases; ARGS="--seed N --keep"
	@$(RUN) -m tests.lab.verdict --cases $(CASES) $(ARGS)

lint: setup ## every static check, with a summary
	@$(RUN) -m tools.lint

snapshots: setup ## write the snapshots of tests/synth anew
	@if [ -n "$$CI" ]; then echo "snapshots are written by a person who reads the difference, not in CI" >&2; exit 1; fi
	@MESH_UPDATE_SNAPSHOTS=1 $(RUN) -m pytest tests/synth -q

docs: setup ## write docs/rules.md from the rules
	@$(RUN) -m tools.rules_doc

bench: setup ## what synthesis costs, against its floor
	@$(RUN) -m bench

relock: $(PIPENV_READY) ## write both lock files anew, after a change of Pipfile or package.json
	@.venv/bin/python -c '$(SUITABLE)' 2>/dev/null || { $(call venv,--without-pip .venv); }
	@$(PIPENV) run relock
	@npm install --package-lock-only

clean: ## remove synthesized output, logs and caches; a lab that runs goes on
	@rm -rf cdktf.out* build .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find . \( -name .venv -o -name .tools -o -name node_modules -o -name .git \) -prune -o \
		-name __pycache__ -prune -exec rm -rf {} +

distclean: clean ## remove what set-up made, too
	@rm -rf .tools .venv bin node_modules constructs/*.egg-info

$(PIPENV_READY):
	@echo "setting up Pipenv ..."
	@$(call venv,.tools/pipenv)
	@$(call quietly,.tools/pipenv/bin/python -m pip install --require-hashes -r tools/pipenv.txt)
	@touch $@

# The build backend first, from the lock: then the editable install needs nothing that has no hash.
$(PYTHON_READY): $(PIPENV_READY)
	@echo "setting up Python packages (about a minute the first time) ..."
	@rm -f .venv/.ready-*
	@.venv/bin/python -c '$(SUITABLE)' 2>/dev/null || { $(call venv,--without-pip .venv); }
	@$(call quietly,$(PIPENV) verify || { echo "after a change of Pipfile: make relock"; exit 1; })
	@$(call quietly,$(PIPENV) sync --categories build && PIP_NO_BUILD_ISOLATION=0 $(PIPENV) sync --dev)
	@touch $@

# The Node of the optional packages; npm says nothing when there is none for a platform.
$(NODE_READY):
	@command -v npm >/dev/null || { echo "npm is needed: install Node.js 20 or later" >&2; exit 1; }
	@echo "setting up Node packages (half a minute the first time) ..."
	@$(call quietly,npm ci --include=dev --include=optional)
	@[ "$$(node_modules/.bin/node -v 2>/dev/null)" = "v$$(cat .nvmrc)" ] || { \
		echo "no Node $$(cat .nvmrc) from npm for this platform: using $$(node -v) from PATH"; \
		node -e 'const [major] = process.versions.node.split("."); process.exit(major < 20 || major > 24 ? 1 : 0)' || { \
		echo "jsii needs Node 20 to 24" >&2; exit 1; }; }
	@touch $@
