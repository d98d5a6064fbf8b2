# Every target does its own set-up (tools/setup.sh) and then its job.
.DEFAULT_GOAL := help
.SHELLFLAGS := -eu -o pipefail -c
SHELL := /bin/bash
.PHONY: help run test bench install uninstall setup

# cargo's folder, also where the shell that called make does not know it yet
export PATH := $(PATH):$(HOME)/.cargo/bin
export CARGO_TERM_COLOR ?= $(if $(MAKE_TERMOUT),always,auto)

TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
ARGS ?=
ONLY ?=
step = @printf '\n== %s ==\n' '$(1)'

help: ## show this list
	@echo 'Faces and their emotions on any GStreamer video stream.'
	@echo
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: ## install what building and running needs, and nothing else
	@tools/setup.sh build run

run: setup ## see it: your camera, else a made clip; annotated video and JSON in out/ (ARGS="--help" for more)
	$(call step,Building (the first time takes some minutes))
	cargo build --release --package gst-plugin-emotion --package emotion-pipelines
	$(call step,Running)
	@$(TARGET_DIR)/release/emotion-demo $(ARGS)

test: ## format, lints, licences, docs, all tests and whole pipelines
	@tools/setup.sh build run test
	$(call step,Format)
	cargo fmt --all --check
	$(call step,Lints)
	cargo clippy --workspace --all-targets --all-features --locked -- -D warnings
	$(call step,Licences and sources of the dependencies)
	cargo deny --all-features check licenses bans sources
	@tools/advisories.sh
	$(call step,Documentation)
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --all-features --locked --no-deps
	$(call step,Tests and whole pipelines)
	cargo nextest run --workspace --all-features --locked
	$(call step,The NEON loops in an emulator)
	@tools/test-neon.sh
	$(call step,Examples in the documentation)
	cargo test --workspace --all-features --locked --doc
	@printf '\nAll checks passed.\n'

bench: ## measure against PyTorch and others, both in turn in one run (ONLY=train: a part)
	@tools/setup.sh build bench
	$(call step,The peers from PyPI (the first time: 5 GB))
	@tools/peers.sh '$(TARGET_DIR)/bench-peers'
	$(call step,Building)
	cargo build --release --package emotion-bench
	$(call step,Measuring (leave the machine alone))
	@$(TARGET_DIR)/release/emotion-bench --only '$(ONLY)' --python '$(TARGET_DIR)/bench-peers/bin/python' --out '$(TARGET_DIR)/bench.json' $(ARGS)

install: setup ## build the plugin and put it where GStreamer finds it (as root or with SYSTEM=1: for everybody)
	$(call step,Building (the first time takes some minutes))
	cargo build --release --package gst-plugin-emotion
	@tools/install.sh install '$(TARGET_DIR)/release/libgstemotion.so'

uninstall: ## take the installed plugin away again
	@tools/install.sh uninstall
