# The only way in. Each target is a line or three; what takes more is a script in tools/.
# Everything works without a terminal, without stdin, and with CI=true.

PART := tools/part.sh
export CARGO_TERM_PROGRESS_WHEN ?= never
.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help demo sim worlds mutants test check format lint docs generated tidy unit scenarios smoke e2e cluster cluster-down bench crds image deny

help: ## what there is
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 24

demo: ## three releases in a minute, in memory: no cluster needed
	cargo run --locked -- demo

test: ## everything: check, all tests, scenarios in memory and a dozen on a real cluster (E2E=off: none there)
	@$(PART) --begin
	@$(MAKE) --no-print-directory check unit scenarios smoke; code=$$?; $(PART) --summary; exit $$code

check: format lint docs tidy generated ## format, clippy, documentation, tidy, generated files

format:
	@$(PART) format tools/component.sh rustfmt cargo fmt --check

lint:
	@$(PART) clippy tools/component.sh clippy cargo clippy --locked --all-targets -- -D warnings
	@$(PART) clippy-e2e tools/component.sh clippy cargo clippy --locked --manifest-path e2e/scenarios/Cargo.toml -- -D warnings

docs:
	@RUSTDOCFLAGS="-D warnings" $(PART) docs cargo doc --locked --no-deps --document-private-items --lib

tidy:
	@$(PART) tidy cargo test --locked --quiet --lib tidy::

generated:
	@$(PART) generated cargo test --locked --quiet --lib checked_in_files
	@$(PART) generated-docs cargo test --locked --quiet --test docs

unit:
	@$(PART) tests cargo test --locked --quiet
	@$(PART) tests-e2e cargo test --locked --quiet --manifest-path e2e/scenarios/Cargo.toml

sim: ## the fault search: SEEDS=n random cases, STRIDE=n every n-th systematic one
	cargo run --locked --profile sim --features mutants --example search

worlds: ## every interleaving of small worlds: REPLICAS=1 to 4, DELAYS=n of the controller on one way
	cargo run --locked --profile sim --features mutants --example search -- worlds

mutants: ## which promise catches which defect; writes the table in docs/simulation.md
	cargo run --locked --profile sim --features mutants --example search -- mutants

scenarios: ## all end-to-end scenarios, on a cluster in memory
	@$(PART) scenarios tools/e2e.sh --in-memory

smoke: ## a dozen of them on a real cluster on this machine
	@$(PART) smoke tools/e2e.sh --smoke

e2e: ## all of them on a real cluster on this machine
	@$(PART) e2e tools/e2e.sh

cluster: ## start a Kubernetes cluster on this machine, without Docker
	e2e/cluster/cluster up

cluster-down: ## stop it
	e2e/cluster/cluster down

bench: ## benchmarks, of the pure core and on a real API server: docs/performance.md
	tools/bench.sh

crds: ## write crds/, config/rbac, docs/configuration.md and docs/cli.md anew
	cargo run --locked --quiet -- crds --dir crds
	cargo run --locked --quiet -- rbac --dir config/rbac
	UPDATE=1 cargo test --locked --quiet --test docs

image: ## siskin.tar, an OCI image with the static binary; needs no Docker
	tools/image.sh siskin.tar

deny: ## licences, advisories and duplicates of dependencies (cargo-deny)
	@$(PART) deny tools/component.sh cargo-deny cargo deny --locked check
