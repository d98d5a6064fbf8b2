# Every target does its own set-up (tools/setup.sh) and then its job.
.DEFAULT_GOAL := help
.SHELLFLAGS := -eu -o pipefail -c
SHELL := /bin/bash
.PHONY: help run test test-debian13 test-debian-testing test-mutations test-kills test-memory coverage test-packages test-container test-ray fuzz bench wheel deb release semver install uninstall setup

# cargo's folder, also where the shell that called make does not know it yet
export PATH := $(PATH):$(HOME)/.cargo/bin
export CARGO_TERM_COLOR ?= $(if $(MAKE_TERMOUT),always,auto)

# The features that lints, docs and tests build beside the default ones. Not all there are: some cannot be built everywhere.
FEATURES := emotion-trainer/keras,gst-plugin-emotion/kafka,emotion-pipelines/kafka,emotion-pipelines/s3,emotion-tests/kafka
# SLIM=1 builds the plugin and the programs without OpenCV's cascades, and so without clang and OpenCV.
SLIM ?=
# ANALYTICS=1 builds the plugin with GStreamer's own analytics metadata, which GStreamer has from 1.24 on.
ANALYTICS ?=
# The folder with FER-2013, clips and photographs; where it is set, the tests that need them run too.
EMOTION_DATA ?=

TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
ARGS ?=
MUTATIONS ?= 1000
# How often each program is killed.
KILLS ?= 200
# Seconds for each fuzz target.
SECONDS_EACH ?= 60
ONLY ?=
SUITES ?= bookworm trixie
TARGETS ?= x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu
step = @printf '\n== %s ==\n' '$(1)'
whole = --workspace --features $(FEATURES) --locked
slim = --package gst-plugin-emotion --no-default-features --locked
variant = $(if $(SLIM),--no-default-features) $(if $(ANALYTICS),--features gst-plugin-emotion/v1_24)

help: ## show this list
	@echo 'Faces and their emotions on any GStreamer video stream.'
	@echo
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

setup: ## install what building and running needs, and nothing else
	@tools/setup.sh build $(if $(SLIM),,cascade) $(if $(ANALYTICS),analytics) run

run: setup ## see it: your camera, else a built-in clip; annotated video and JSON in out/ (ARGS="--help" for more)
	$(call step,Building (the first time takes some minutes))
	cargo build --release --package gst-plugin-emotion --package emotion-pipelines $(variant)
	$(call step,Running)
	@$(TARGET_DIR)/release/emotion-demo $(ARGS)

# Tests append what this machine cannot test to this file; it is repeated at the end.
test: export EMOTION_SKIPPED = $(abspath $(TARGET_DIR))/skipped.txt
test: ## format, structure, lints, licences, docs, all tests and whole pipelines (EMOTION_DATA=FOLDER: also those that read it)
	@tools/setup.sh build cascade run test
	@mkdir -p '$(TARGET_DIR)' && : >"$$EMOTION_SKIPPED"
	$(call step,Format)
	cargo fmt --all --check
	$(call step,Structure)
	@tools/check-structure.py
	$(call step,Lints)
	cargo clippy $(whole) --all-targets -- -D warnings
	cargo clippy $(slim) --all-targets -- -D warnings
	cargo clippy --package emotion-pipelines --all-targets --locked -- -D warnings
	$(call step,Licences and sources of the dependencies)
	cargo deny --features $(FEATURES) check licenses bans sources
	@tools/advisories.sh --features $(FEATURES)
	$(call step,Documentation)
	RUSTDOCFLAGS='-D warnings' cargo doc $(whole) --no-deps
	$(call step,Readers of exported networks and what the tests of the Python package need from PyPI)
	@tools/peers.sh '$(TARGET_DIR)/test-peers' tests/requirements.txt || true
	$(call step,Tests and whole pipelines)
	EMOTION_PYTHON="$$(ls '$(abspath $(TARGET_DIR))/test-peers/bin/python' 2>/dev/null || true)" \
		cargo nextest run $(whole) $(if $(EMOTION_DATA),--run-ignored all)
	$(call step,An archive on a Ray cluster of this machine)
	@tools/test-ray.sh '$(TARGET_DIR)' 8
	$(call step,The Python package)
	cargo build $(whole) --lib --bins --tests
	@tools/test-python.sh '$(TARGET_DIR)'
	$(call step,The libraries as packages and without default features)
	@tools/test-libraries.sh
	$(call step,The container file)
	@if [ -x '$(TARGET_DIR)/test-peers/bin/hadolint' ]; then '$(TARGET_DIR)/test-peers/bin/hadolint' Containerfile; \
		else echo 'SKIPPED: the container file: hadolint could not be installed from PyPI' | tee -a "$$EMOTION_SKIPPED"; fi
	$(call step,The plugin without OpenCV)
	cargo nextest run $(slim)
	$(call step,The NEON loops in an emulator)
	@tools/test-neon.sh
	$(call step,Examples in the documentation)
	cargo test $(whole) --doc
	@printf '\nAll checks passed.\n'
	@$(if $(EMOTION_DATA),,echo 'SKIPPED: what needs clips, photographs or FER-2013: EMOTION_DATA is not set' >>"$$EMOTION_SKIPPED")
	@sort --unique "$$EMOTION_SKIPPED"

test-mutations: ## emotion-tag on a thousand damaged files of twelve containers (MUTATIONS=N: on another number of them)
	@tools/setup.sh build cascade run test
	EMOTION_MUTATIONS='$(MUTATIONS)' cargo nextest run $(whole) --profile mutations --no-capture -E 'test(damaged_files_of_all_containers)'

test-kills: ## kill trainings, emotion-tag, emotion-crowd and emotionpublish a thousand times (KILLS=N: each N times)
	@tools/setup.sh build cascade run test
	EMOTION_KILLS='$(KILLS)' cargo nextest run $(whole) --profile mutations --no-capture -E 'test(/^killed::/)'

test-memory: ## test with AddressSanitizer, ThreadSanitizer (a nightly compiler) and valgrind
	@tools/setup.sh build run test memory
	@tools/test-memory.sh '$(TARGET_DIR)' $(ARGS)

coverage: ## which share of the lines of each crate the tests reach
	@tools/setup.sh build cascade run test
	@tools/coverage.sh '$(TARGET_DIR)' $(FEATURES) $(ARGS)

test-debian13: ## test the plugin with GStreamer's analytics metadata in a root of Debian 13 (as root; takes 7 GB)
	@tools/test-debian.sh trixie

test-debian-testing: ## the same in a root of Debian testing, with GStreamer 1.28 and its tensor decoders
	@tools/test-debian.sh testing

test-ray: ## tag 60 clips on a Ray cluster of three nodes on this machine, one of which dies
	@tools/setup.sh build cascade run test
	cargo build $(whole) --bin emotion-tag
	@tools/test-ray.sh '$(TARGET_DIR)' 60

fuzz: ## feed everything that reads files, settings, requests and buffers with broken ones (SECONDS_EACH=3600: longer)
	@tools/setup.sh build run
	@tools/fuzz.sh '$(TARGET_DIR)' '$(SECONDS_EACH)'

bench: ## measure against PyTorch and others, both in turn in one run (ONLY=train: a part)
	@tools/setup.sh build cascade bench
	$(call step,The peers from PyPI (the first time: 5 GB))
	@tools/peers.sh '$(TARGET_DIR)/bench-peers' bench/peers/requirements.txt
	$(call step,Building)
	cargo build --release --package emotion-bench
	$(call step,Measuring (leave the machine alone))
	@$(TARGET_DIR)/release/emotion-bench --only '$(ONLY)' --python '$(TARGET_DIR)/bench-peers/bin/python' --out '$(TARGET_DIR)/bench.json' $(ARGS)

wheel: ## build the Python package for x86-64 and ARM64 into target/wheels (TARGETS=: for other targets of Rust)
	@tools/setup.sh bench
	@tools/wheel.sh '$(TARGET_DIR)' $(TARGETS)

deb: ## build Debian packages for Debian 12 and 13, also on ARM64, into target/packages, in roots of both (as root; SUITES=bookworm: one, CROSS=: without ARM64)
	@tools/deb.sh $(SUITES)

test-packages: ## install what make deb wheel has built in fresh roots of Debian 12 and 13, and use it (as root; SUITES=bookworm: one)
	@tools/test-packages.sh $(SUITES)

test-container: ## build the container on roots of Debian 12, with buildah, and use it (as root)
	@tools/test-container.sh

release: ## build all that is released of the last commit, with SBOMs and checksums (as root; tools/release.sh cut VERSION comes first)
	@tools/release.sh build

semver: ## what has changed in the interfaces of the libraries since the last release
	@tools/semver.sh

install: setup ## build the plugin and put it where GStreamer finds it (as root or with SYSTEM=1: for everybody)
	$(call step,Building (the first time takes some minutes))
	cargo build --release --package gst-plugin-emotion $(variant)
	@tools/install.sh install '$(TARGET_DIR)/release/libgstemotion.so'

uninstall: ## take the installed plugin away again
	@tools/install.sh uninstall
