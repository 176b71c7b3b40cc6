# hl7-ens: what people do with a checkout. `make` alone lists it.

PYTHON ?= python3
BIN := .venv/bin
ENVIRONMENTS := local dev staging prod
# CDK calls `python`: ours.
CDK := PATH="$(CURDIR)/.venv/bin:$$PATH" npx --no-install cdk --no-notices

.DEFAULT_GOAL := help
.PHONY: help run setup test check synth deploy image packages bench bench-receiver bench-receiver-faults bench-receiver-fuzz bench-cold bench-clinical bench-cost bench-identity bench-delivery lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-22s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup ## set up, start the whole system on 127.0.0.1 and send it an admission
	@$(BIN)/python -m local

setup:
	@$(PYTHON) local/bootstrap.py

test: setup node_modules ## run the whole test suite
	@$(BIN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

check: setup ## lint, format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy infra lambdas receiver local ops bench tests

synth: setup node_modules ## synthesise every environment, or the one in ENV=
	@for env in $(or $(ENV),$(ENVIRONMENTS)); do \
	  $(CDK) synth --quiet -c env=$$env --output .build/cdk.out/$$env && echo "$$env: .build/cdk.out/$$env" || exit 1; \
	done

deploy: setup node_modules ## deploy the environment in ENV= (needs Docker and AWS credentials)
	@test -n "$(ENV)" || { echo "Say which environment: make deploy ENV=dev" >&2; exit 2; }
	@docker info >/dev/null 2>&1 || { echo "make deploy builds the receiver's image and needs a running Docker engine." >&2; exit 2; }
	@$(CDK) deploy --all -c env=$(ENV)

image: setup ## build the receiver's image and run it, without a Docker engine (needs root on Debian)
	@.ci/image

packages: setup ## import the functions' packages with an arm64 Python (needs root on Debian)
	@.ci/packages

bench: setup ## list the benchmarks
	@$(BIN)/python -m bench

bench-receiver: setup ## measure the receiver beside its peers, about five minutes (ARGS=--full: longer)
	@$(BIN)/python -m bench receiver $(ARGS)

bench-receiver-faults: setup ## kill, stop and starve the receiver under load, and count what is left
	@$(BIN)/python -m bench.receiver.faults $(ARGS)

bench-receiver-fuzz: setup ## throw random bytes at the receiver's decoder and answers, ARGS=examples
	@ENS_FUZZ_EXAMPLES=$(or $(ARGS),50000) $(BIN)/python -m pytest -q --timeout 1800 tests/unit/receiver/test_intake.py -k whatever_comes

bench-clinical: setup ## measure the clinical stand-in on held-out notes, or on those in NOTES=folder
	@$(BIN)/python -m bench.clinical $(NOTES) $(ARGS)

bench-identity: setup ## count the round trips of a look-up, for each index
	@$(BIN)/python -m bench.identity $(ARGS)

bench-cost: setup ## count what the notes at hand would cost in each mode (ARGS=message files)
	@$(BIN)/python -m bench.cost $(ARGS)

bench-cold: setup ## measure what importing each handler costs
	@$(BIN)/python -m bench cold $(ARGS)

bench-delivery: setup ## a burst of 10,000 notifications against a throttling SES
	@$(BIN)/python -m bench.delivery

# CDK's command line, as package-lock.json pins it.
node_modules: package-lock.json
	@npm ci --silent && touch node_modules

LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet
# The Lambda runtime brings boto3 and what botocore needs.
RUNTIME := $(foreach name,boto3 botocore s3transfer urllib3 python-dateutil six,--no-emit-package $(name))

lock: ## pin every dependency again (needs uv)
	@$(LOCK) --group dev --output-file requirements.txt
	@$(LOCK) --group receiver --output-file receiver/requirements.txt
	@$(LOCK) bench/receiver/peers.in --output-file bench/receiver/peers.txt
	@for step in parse_message lookup_identities extract_entities deliver_notification record_feedback release_deliveries; do \
	  $(LOCK) $(RUNTIME) --group $$step --output-file lambdas/$$step/requirements.txt; done

clean: ## remove everything that the other targets made
	@rm -rf .venv .build .local node_modules cdk.out .mypy_cache .pytest_cache .ruff_cache .hypothesis
