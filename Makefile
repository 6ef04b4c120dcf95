# The commands of this repository. Each does its own set-up: a Rust toolchain is all that a fresh machine needs.
.PHONY: help demo bench test lint fmt prerequisites

help: ## This list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 14

demo: prerequisites ## Play a small market and net it; ARGS=--once ends instead of serving on
	cargo run --bin scriphouse -- demo $(ARGS)

bench: prerequisites ## Measure this machine, some forty minutes; ARGS=--quick takes one
	cargo run --release --bin scriphouse -- bench $(ARGS)

# The program first: some tests run it.
test: prerequisites ## All tests
	cargo build --workspace
	cargo test --workspace

lint: prerequisites ## Formatting and lints, as the continuous build checks them
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

fmt: ## Format everything
	cargo fmt --all

prerequisites:
	@scripts/prerequisites
