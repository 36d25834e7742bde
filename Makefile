# `make` alone lists the targets. Variables: JOBS (parallel compile jobs), FUZZ_SECONDS (a target), TORCH (2: `make setup` adds libtorch 2).

FUZZ_SECONDS ?= 60
RELEASE := build/release
TORCH2 := build/release-torch2
TORCH_GROUP = $(if $(TORCH),$(if $(filter 2,$(TORCH)),torch2,$(error TORCH=$(TORCH): there is only TORCH=2; without it, Debian's libtorch)))
PROGRAMS := hedge hedge-cloud hedge-edge hedge-gateway
LIBRARIES := hedge_runtime_library hedge_workbench_library
SOURCES = $(shell git ls-files 'src/*.h' 'src/*.cc' 'include/*.h' 'tests/*.h' 'tests/*.cc' 'bench/*.cc' 'examples/*.cc' 'examples/*.c' 'python/*.h' 'python/*.cc')
STEP := @scripts/step.sh
CTEST_OPTIONS := --output-on-failure --no-tests=error --timeout 1200

.DEFAULT_GOAL := help
.PHONY: help setup build demo package test test-unit test-torch2 bench mcu-bench mcu-demo format format-check tidy fuzz sanitize tsan clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: ## install what building, running and testing need (Debian 12; root or sudo; a second run installs nothing)
	$(STEP) setup scripts/setup.sh build run mcu test $(TORCH_GROUP)

build: ## programs and libraries, optimised, into build/release/bin and lib
	$(STEP) build scripts/build.sh release $(PROGRAMS) $(LIBRARIES)

demo: ## set up, build, then train, fit, evaluate and run a hybrid on Fashion-MNIST; leaves out/demo/report.html
	$(STEP) setup scripts/setup.sh build run
	$(STEP) build scripts/build.sh release $(PROGRAMS)
	$(STEP) demo $(RELEASE)/bin/hedge demo --out out/demo

package: ## Debian packages of runtime and workbench, into build/release (docs/library.md)
	$(STEP) setup scripts/setup.sh build run develop
	$(STEP) build scripts/build.sh release $(PROGRAMS) $(LIBRARIES)
	$(STEP) package cpack -G DEB --config $(RELEASE)/CPackConfig.cmake -B $(RELEASE)

test: setup ## set up, build everything, then all tests: unit, conformance, slow; a skip that tests/may_skip.txt does not allow fails
	$(STEP) build scripts/build.sh release
	$(STEP) tests scripts/run_tests.py $(RELEASE) $(CTEST_OPTIONS) -L 'unit|conformance|slow'

test-unit: ## build, then the quick tests alone
	$(STEP) build scripts/build.sh release
	$(STEP) tests ctest $(CTEST_OPTIONS) --test-dir $(RELEASE) -L unit

test-torch2: ## set up libtorch 2, build with it, then the tests of training (a second build; not in make test)
	$(STEP) setup scripts/setup.sh build run test torch2
	$(STEP) build scripts/build.sh release-torch2 hedge train_tests train_gpu_tests conformance_tests workflow_tests
	$(STEP) tests ctest $(CTEST_OPTIONS) --test-dir $(TORCH2) -R '^(train|train_gpu|conformance|workflow)_tests$$'

bench: ## build, then all benchmarks (what a speed claim stands on)
	$(STEP) build scripts/build.sh release
	$(STEP) bench bash -c 'set -e; for b in $(RELEASE)/bin/*_bench; do [ -x "$$b" ] || { echo "no benchmarks"; exit 1; }; "$$b"; done'

mcu-demo: ## a hybrid on a microcontroller: firmware in QEMU, its gateway and its cloud on 200 images; writes out/mcu/demo.json
	$(STEP) setup scripts/setup.sh build run mcu
	$(STEP) build scripts/build.sh release $(PROGRAMS)
	$(STEP) mcu-demo $(RELEASE)/bin/hedge mcu demo --out out/mcu

mcu-bench: ## count the microcontroller kernels' instructions in QEMU; writes out/mcu/bench.json
	$(STEP) setup scripts/setup.sh build run mcu
	$(STEP) build scripts/build.sh release mcu_layers_m4 mcu_layers_m7 mcu_layers_m55 mcu_networks
	$(STEP) mcu-networks python3 -B bench/mcu/networks.py --exporter $(RELEASE)/bin/mcu_networks --out out/mcu
	$(STEP) mcu-bench python3 -B bench/mcu/report.py --programs $(RELEASE)/mcu --out out/mcu

format: ## clang-format over all sources
	$(STEP) setup scripts/setup.sh develop
	$(STEP) format clang-format-14 -i $(SOURCES)

format-check: ## fails where clang-format would change something
	$(STEP) setup scripts/setup.sh develop
	$(STEP) format-check clang-format-14 --dry-run -Werror $(SOURCES)

tidy: ## clang-tidy over src/ (slow)
	$(STEP) setup scripts/setup.sh develop
	$(STEP) build scripts/build.sh dev hedge_oip_proto
	$(STEP) tidy bash -c 'git ls-files "src/*.cc" | xargs -P "$$(nproc)" -n 4 clang-tidy-14 -p build/dev --quiet'

fuzz: ## every parser's fuzz target, FUZZ_SECONDS each
	$(STEP) setup scripts/setup.sh build run develop
	$(STEP) build scripts/build.sh fuzz fuzz_all
	$(STEP) fuzz scripts/fuzz.sh build/fuzz $(FUZZ_SECONDS)

sanitize: ## the rooms without libtorch and OpenVINO under AddressSanitizer and UndefinedBehaviourSanitizer
	$(STEP) build scripts/build.sh asan-ubsan
	$(STEP) tests ctest $(CTEST_OPTIONS) --test-dir build/asan-ubsan -L unit

tsan: ## the same under ThreadSanitizer
	$(STEP) build scripts/build.sh tsan
	$(STEP) tests ctest $(CTEST_OPTIONS) --test-dir build/tsan -L unit

clean: ## remove build/ and out/ (not .venv)
	rm -rf build out
