# hl7-ens: what people do with a checkout. `make` alone lists it.

PYTHON ?= python3
BIN := .venv/bin
ENVIRONMENTS := $(basename $(notdir $(wildcard environments/*.toml)))
# CDK calls `python`: ours.
CDK := PATH="$(CURDIR)/.venv/bin:$$PATH" npx --no-install cdk --no-notices

.DEFAULT_GOAL := help
# Every target that has a description below names no file.
.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*## .*/\1/p' $(firstword $(MAKEFILE_LIST)))

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-22s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup ## set up, start the whole system on 127.0.0.1 and send it an admission
	@$(BIN)/python -m local

setup:
	@$(PYTHON) local/bootstrap.py

test: setup node_modules ## run the whole test suite
	@$(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder $(ARGS)

# The pure functional tests start no system and no moto.
FAST := tests/unit tests/functional/simulators/comprehend_medical

test-fast: setup ## run the unit tests and the pure functional tests
	@$(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder -m "not slow" $(FAST) $(ARGS)

coverage: setup node_modules ## run the test suite and report which lines and branches it covers
	@$(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder -m "not cpu_bound" --cov --cov-report=term --cov-report=xml --cov-report=html $(ARGS)

check: setup ## lint, format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy environments hl7 infra lambdas receiver local ops simulators supply_chain bench tests

sbom: setup ## write a software bill of materials (CycloneDX) for each lock file to .build/supply_chain/sbom
	@$(BIN)/python -m supply_chain sbom

audit: setup ## look for known vulnerabilities in the packages of each lock file
	@$(BIN)/python -m supply_chain audit

judges: setup ## install the tools that judge the templates (checkov, a policy evaluator)
	@$(BIN)/python -m tests.infra.judges

judge: judges node_modules ## print what they find in the templates of dev and prod
	@$(BIN)/python -m tests.infra.judges --findings

synth: setup node_modules ## synthesise every environment, or the one in ENV=
	@for env in $(or $(ENV),$(ENVIRONMENTS)); do \
	  $(CDK) synth --quiet -c env=$$env --output .build/cdk.out/$$env && echo "$$env: .build/cdk.out/$$env" || exit 1; \
	done

preflight: setup node_modules ## check files and AWS account before a deployment of ENV=
	@test -n "$(ENV)" || { echo "Say which environment: make preflight ENV=dev" >&2; exit 2; }
	@$(BIN)/python -m infra.app "$(ENV)" ".build/preflight/$(ENV)"
	@./ens --env "$(ENV)" preflight --assembly ".build/preflight/$(ENV)" $(ARGS)

deploy: ## check, then deploy the environment in ENV= (needs Docker and AWS credentials)
	@$(MAKE) --no-print-directory preflight ENV="$(ENV)" ARGS=--online
	@context=$$($(BIN)/python -m ops.environment.account $(ENV)) || exit 1; \
	$(CDK) deploy --all -c env=$(ENV) $$context $(ARGS) || exit 1; \
	test -z "$$context" || $(CDK) deploy --all -c env=$(ENV) $(ARGS)

destroy: setup ## delete the environment in ENV= and all its data (refuses one that retains its data)
	@test -n "$(ENV)" || { echo "Say which environment: make destroy ENV=dev" >&2; exit 2; }
	@$(BIN)/python -m ops.environment.teardown $(ENV) $(ARGS)

image: setup ## build the receiver's image and run it, without a Docker engine (needs root on Debian)
	@.ci/image

packages: setup ## import the functions' packages with an arm64 Python (needs root on Debian)
	@.ci/packages

explore: setup ## try new random examples in every property test, ARGS=rounds (make test tries the same ones)
	@for round in $$(seq $(or $(ARGS),5)); do ENS_EXAMPLES=explore $(BIN)/python -m pytest -q -m hypothesis tests/unit tests/functional || exit 1; done

bench-receiver: setup ## measure the receiver beside its peers, about five minutes (ARGS=--full: longer)
	@$(BIN)/python -m bench.receiver $(ARGS)

bench-receiver-faults: setup ## kill, stop and starve the receiver under load, and count what is left
	@$(BIN)/python -m bench.receiver.faults $(ARGS)

bench-receiver-soak: setup ## attack the receiver from one peer, and measure what another one notices (ARGS=--seconds 60)
	@$(BIN)/python -m bench.receiver.soak $(ARGS)

bench-receiver-fuzz: setup ## throw random bytes at the receiver's decoder and answers, ARGS=examples
	@ENS_FUZZ_EXAMPLES=$(or $(ARGS),50000) $(BIN)/python -m pytest -q --timeout 1800 tests/unit/receiver/intake/test_intake.py -k whatever_comes

bench-aws-client: setup ## measure the receiver's AWS client beside awscrt and boto3
	@$(BIN)/python -m bench.aws_client $(ARGS)

bench-clinical: setup ## measure the clinical stand-in on held-out notes, or on those in NOTES=folder
	@$(BIN)/python -m bench.clinical $(NOTES) $(ARGS)

bench-cost: setup ## count what the notes at hand would cost in each mode (ARGS=message files)
	@$(BIN)/python -m bench.cost $(ARGS)

bench-idle-cost: setup ## compute what each environment costs a month without messages
	@$(BIN)/python -m bench.idle_cost $(ARGS)

bench-delivery: setup ## a burst of 10,000 notifications against a throttling SES
	@$(BIN)/python -m bench.delivery

bench-parse: setup ## measure the reading of ordinary and hostile messages, beside hl7apy
	@$(BIN)/python -m bench.parse

bench-local: setup ## events a second and start time of the local system (ARGS=--events 200)
	@$(BIN)/python -m bench.local $(ARGS)

bench-logs: setup ## compute what one event writes to the workflow's log
	@$(BIN)/python -m bench.logs

bench-burst: setup ## simulate 1,000 notifications in a minute against a throttling Comprehend Medical
	@$(BIN)/python -m bench.burst

bench-feed: setup ## check a generated folder of 10,000 messages (ARGS=--messages 100000)
	@$(BIN)/python -m bench.feed $(ARGS)

bench-encounters: setup ## decide a million events of ten hospitals in memory (ARGS=--events 100000)
	@$(BIN)/python -m bench.encounters $(ARGS)

bench-calls: setup ## count the AWS calls of one event
	@$(BIN)/python -m bench.calls

# CDK's command line, as package-lock.json pins it.
node_modules: package-lock.json
	@npm ci --silent && touch node_modules

LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet
# The Lambda runtime brings boto3 and what botocore needs.
RUNTIME := $(foreach name,boto3 botocore s3transfer urllib3 python-dateutil six,--no-emit-package $(name))

reference: setup ## write the API and IAM reference (infra/reference/) and the tables of docs/encounters.md again
	@$(BIN)/python -m infra.reference.build
	@$(BIN)/python -m ops.reference.encounters

contracts: setup ## write the JSON Schemas of all stored documents again (docs/contracts/)
	@$(BIN)/python -m ops.reference.contracts

lock: ## pin every dependency again (needs uv)
	@$(LOCK) --group dev --output-file requirements.txt
	@$(LOCK) --group receiver --output-file receiver/requirements.txt
	@$(LOCK) bench/receiver/peers.in --output-file bench/receiver/peers.txt
	@$(LOCK) supply_chain/requirements.in --output-file supply_chain/requirements.txt
	@$(LOCK) tests/infra/judges/requirements.in --output-file tests/infra/judges/requirements.txt
	@cd tests/infra/judges && npm install --package-lock-only --silent
	@for step in parse_message track_encounter lookup_identities extract_entities deliver_notification record_feedback release_deliveries digest_audit verify_audit; do \
	  $(LOCK) $(RUNTIME) --group $$step --output-file lambdas/$$step/requirements.txt; done

clean: ## remove everything that the other targets made
	@rm -rf .venv .build .local node_modules cdk.out .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage *.egg-info
