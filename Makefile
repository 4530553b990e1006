# make demo   the main job, from digits to a verified 1-bit model that runs
# make test   every test that needs Python and a C++ compiler only
# make help   the rest
.DEFAULT_GOAL := help
SHELL := /bin/bash
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?=
ifeq ($(origin CXX),default)  # make's own default is g++; c++ is whatever compiler there is
CXX := c++
endif
export CXX
PARTS ?= mca whole_networks delegate_threads delegate_convolutions delegate_start delegate_fusions agreement
FUZZ_RUNS ?= 100000
FUZZ_FLATBUFFERS ?= 2000
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
DELEGATE_SOURCES := $(shell find delegate -name '*.cc' -o -name '*.h' -o -name '*.inc' -o -name '*.txt' -o -name '*.map' -o -name '*.cmake')
PYTEST := $(BIN)/python -m pytest -n $(JOBS) --dist worksteal
PACKAGES_ARM := qemu-user g++-aarch64-linux-gnu g++-arm-linux-gnueabihf
PACKAGES_ANDROID := openjdk-17-jdk-headless maven apksigner
ABIS ?= arm64-v8a

# The first of the candidates that is Python 3.10 to 3.12 and can make virtual environments.
define find_python
for candidate in $(or $(PYTHON),python3 python3.11 python3.12 python3.10); do \
  command -v $$candidate >/dev/null 2>&1 && \
  $$candidate -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null && { python=$$candidate; break; }; \
done; \
if [ -z "$$python" ]; then \
  echo "make: tflbnn needs Python 3.10, 3.11 or 3.12. Received: $$($(or $(PYTHON),python3) --version 2>&1 || true). Install one (Debian: apt-get install python3 python3-venv), or name it: make PYTHON=/path/to/python3.11" >&2; exit 2; \
fi; \
if ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
  echo "make: $$python cannot make virtual environments. Install them (Debian: apt-get install python3-venv)" >&2; exit 2; \
fi
endef

# $(call require,TOOL,TARGET,DEBIAN PACKAGE)
define require
command -v $(1) >/dev/null 2>&1 || { echo "make: $(2) needs $(1). Install it (Debian: apt-get install $(3))" >&2; exit 2; }
endef

.PHONY: help
help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(VENV)/.installed  ## make .venv and install everything into it

$(VENV)/.wheels: $(VENV)/.installed
	$(BIN)/python -m pip install --disable-pip-version-check -e '.[wheels]'
	@touch $@

$(VENV)/.installed: pyproject.toml setup.py $(DELEGATE_SOURCES)
	@if ! command -v $(firstword $(CXX)) >/dev/null 2>&1; then \
	  echo "make: tflbnn needs a C++17 compiler. Received: no '$(CXX)' on the PATH. Install one (Debian: apt-get install g++), or name it: make CXX=clang++" >&2; exit 2; \
	fi
	@if [ ! -x $(BIN)/python ]; then $(find_python); \
	  echo "Making $(VENV) with $$($$python --version)"; $$python -m venv $(VENV); fi
	@echo "Installing tflbnn with what it needs into $(VENV) (the first time about 1 GB is downloaded)"
	TFLBNN_CMAKE_OPTIONS=-DTFLBNN_WERROR=ON $(BIN)/python -m pip install --disable-pip-version-check -e '.[train,dev]'
	@touch $@

.PHONY: demo
demo: setup  ## tune, train, convert, verify and run a binary network (SMOKE=1: the shortest form)
	@$(BIN)/python -m tflbnn.recipes.demo $(if $(SMOKE),--smoke)

.PHONY: test
test: setup lint  ## every test that needs Python and a C++ compiler only
	$(PYTEST) -m 'not long'

.PHONY: test-long
test-long: setup $(VENV)/.wheels  ## the tests that take minutes: 200 random networks, 2,000 mutations of each kind of file
	$(PYTEST) -m long --ignore=tests/android

.PHONY: test-wheels
test-wheels: setup $(VENV)/.wheels  ## the wheels: x86-64 in a clean environment, aarch64 under qemu
	$(BIN)/python -m pytest -n 0 -m long tests/test_wheels.py
	@$(call require,qemu-aarch64,test-wheels,qemu-user)
	$(BIN)/python tests/delegate/arm/run.py --wheel dist/*aarch64.whl

.PHONY: test-capi
test-capi: setup  ## the C++ example, which runs models through TFLite's C API (fetched by Maven)
	@$(call require,mvn,test-capi,maven)
	$(BIN)/python tests/delegate/capi.py

.PHONY: test-arm
test-arm: setup  ## the delegate for ARM, 64-bit and 32-bit, under qemu
	@for tool in qemu-aarch64 aarch64-linux-gnu-g++ arm-linux-gnueabihf-g++; do command -v $$tool >/dev/null 2>&1 || { \
	  echo "make: test-arm needs $$tool. Install it (Debian: apt-get install $(PACKAGES_ARM))" >&2; exit 2; }; done
	$(BIN)/python tests/delegate/arm/run.py

.PHONY: require-android
require-android:
	@for tool in javac mvn apksigner; do command -v $$tool >/dev/null 2>&1 || { \
	  echo "make: building for Android needs $$tool. Install it (Debian: apt-get install $(PACKAGES_ANDROID))" >&2; exit 2; }; done

.PHONY: apk
apk: require-android setup $(VENV)/.wheels  ## the demo app, signed with a debug key; needs no Android SDK (ABIS="arm64-v8a armeabi-v7a": more)
	@$(BIN)/python -m android_demo.tools.apk $(ABIS)

.PHONY: aar
aar: require-android setup $(VENV)/.wheels  ## the delegate for any Android app, build/android/tflbnn-delegate.aar
	@$(BIN)/python -m android_demo.tools.aar

.PHONY: demo-models
demo-models: setup  ## train the models that the app ships (SMOKE=1: next to nothing, into build/android/models)
	@$(BIN)/python -m android_demo.tools.demo_models $(if $(SMOKE),--smoke --out build/android/models)

.PHONY: test-android
test-android: require-android setup $(VENV)/.wheels  ## the delegate and the app for Android on this machine, with screenshots
	@$(BIN)/python -m android_demo.tools.aar
	$(BIN)/python -m pytest -n 0 -m long tests/android
	$(BIN)/python -m android_demo.tools.app_tests

.PHONY: test-fuzz
test-fuzz: setup  ## the delegate under sanitizers: tests, stress, libFuzzer (FUZZ_RUNS=1000000 FUZZ_SEED=0 FUZZ_FLATBUFFERS=20000: all)
	$(BIN)/python tests/delegate/sanitizers.py
	$(BIN)/python tests/delegate/fuzz_flatbuffers.py $(FUZZ_FLATBUFFERS)
	$(BIN)/python tests/delegate/fuzz.py $(FUZZ_RUNS)

.PHONY: lint
lint: setup  ## ruff and clang-format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/clang-format --dry-run --Werror $(filter %.cc %.h,$(DELEGATE_SOURCES))

.PHONY: format
format: setup  ## let ruff and clang-format write what lint asks for
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(filter %.cc %.h,$(DELEGATE_SOURCES))

.PHONY: wheels
wheels: setup $(VENV)/.wheels  ## wheels for Linux on x86-64 and aarch64, macOS on arm64, Windows on x86-64, into dist/
	$(BIN)/python delegate/wheels.py

.PHONY: benchmark
benchmark: setup  ## measure the converter and building networks, then all that benchmark-delegate does
	$(BIN)/python benchmarks/convert.py
	$(BIN)/python benchmarks/converter_sizes.py
	$(BIN)/python benchmarks/rest_latency.py
	$(BIN)/python benchmarks/converter_passes.py
	$(BIN)/python benchmarks/building.py
	$(MAKE) benchmark-delegate

.PHONY: benchmark-delegate
benchmark-delegate: setup  ## measure the delegate for the README and docs/benchmarks.md (PARTS="mca agreement": only these)
	@for part in $(PARTS); do echo "benchmarks/$$part.py"; $(BIN)/python benchmarks/$$part.py || exit; done
	$(BIN)/python benchmarks/readme_table.py

.PHONY: benchmark-training
benchmark-training: setup  ## measure training against plain Larq and Keras, for docs/benchmarks.md
	$(BIN)/python benchmarks/training.py
	$(BIN)/python benchmarks/readme_table.py

$(VENV)/.docs: $(VENV)/.installed
	$(BIN)/python -m pip install --disable-pip-version-check -e '.[docs]'
	@touch $@

.PHONY: docs
docs: setup $(VENV)/.docs  ## the documentation, into build/site; a link that leads nowhere is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	$(BIN)/python docs/generate/check_links.py build/site

.PHONY: clean
clean:  ## remove what was built (keeps .venv and runs/)
	rm -rf build dist *.egg-info tflbnn/runtime/*tflbnn_delegate.* $(VENV)/.installed $(VENV)/.wheels $(VENV)/.docs
