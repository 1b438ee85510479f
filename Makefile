# Every target makes what it needs: a fresh clone with Python >= 3.11, git and make is enough.
PYTHON ?= python3
BIN := .venv/bin

# At how many seeded instants `make test-kills` kills a refresh, beside every stage's boundary.
KILLS ?= 50

# Servers that are built here; they stay in .tools.
CONFORMANCE := logcache_tests/servers/conformance
SERVERS := .tools/versitygw .tools/dynamodb-local/LoopbackDynamo.class .tools/hadoop-aws/fetched

.PHONY: production demo demo-servers test test-week test-fuzz test-kills test-servers servers check ui bench lock clean

demo: .venv/.done
	@$(BIN)/logcache local demo

test: .venv/.dev
	@$(BIN)/python -m pytest -n 3 --no-loadscope-reorder

test-fuzz: .venv/.dev
	@FUZZ_PER_KIND=91 $(BIN)/python -m pytest -q logcache_tests/fuzz

test-week: .venv/.dev
	@$(BIN)/python -m pytest --week -q logcache_tests/week

test-kills: .venv/.dev
	@$(BIN)/python -m pytest logcache_tests/kills --kills $(KILLS) -n 3 --dist load -q

test-servers: .venv/.dev servers
	@$(BIN)/python -m pytest --servers -q $(CONFORMANCE)
	@$(BIN)/python -m pytest --servers -q --ignore $(CONFORMANCE) -n 3

demo-servers: .venv/.dev servers
	@$(BIN)/python -m logcache_tests.servers.demo

# Where Go or Maven is missing nothing is built, and the tests say what they lack.
servers: $(SERVERS)

.tools/versitygw: logcache_tests/servers/versitygw.version
	@command -v go >/dev/null || exit 0; echo "Building versitygw (once; up to five minutes)"; \
	GOBIN=$(CURDIR)/.tools CGO_ENABLED=0 go install -trimpath -ldflags='-s -w' \
	  github.com/versity/versitygw/cmd/versitygw@$$(cat $<) && touch $@

.tools/dynamodb-local/LoopbackDynamo.class: $(addprefix logcache_tests/servers/dynamodb_local/,pom.xml LoopbackDynamo.java)
	@command -v mvn >/dev/null && command -v javac >/dev/null || exit 0; echo "Fetching DynamoDB Local (once; half a minute)"; \
	mvn -q -B -Dstyle.color=never -f $< dependency:copy-dependencies -DoutputDirectory=$(CURDIR)/$(@D) -DincludeScope=runtime && \
	javac -cp '$(@D)/*' -d $(@D) $(lastword $^)

.tools/hadoop-aws/fetched: logcache_tests/servers/hadoop_aws/pom.xml
	@command -v mvn >/dev/null || exit 0; echo "Fetching Hadoop's s3a (once; half a minute)"; \
	mvn -q -B -Dstyle.color=never -f $< dependency:copy-dependencies -DoutputDirectory=$(CURDIR)/$(@D) -DincludeScope=runtime && touch $@

check: .venv/.dev
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/mypy bench/*.py
	@$(BIN)/mypy bench/peers/*.py
	@LOGCACHE_CATALOG=logcache_assets/local_platform/demo_world/contracts $(BIN)/dg check defs

ui: .venv/.done
	@$(BIN)/logcache local ui

# What a server needs, without tests: `docs/operations.md` has the rest.
production: .venv/.production

bench: .venv/.dev
	@$(BIN)/python bench/all.py

# Compiled now, because every process of Dagit loads two thousand modules, and not every computer lets it keep them.
.venv/.done: pyproject.toml requirements.lock
	@echo "Setting up .venv (once; about a minute)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with make PYTHON=python3.12")'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -q --disable-pip-version-check uv
	@$(BIN)/uv pip install -q --compile-bytecode --python $(BIN)/python -c requirements.lock -e .
	@touch $@

.venv/.dev: .venv/.done
	@echo "Adding what tests and benchmarks need, Spark among it (once; about a minute)"
	@$(BIN)/uv pip install -q --python $(BIN)/python -c requirements.lock -e '.[dev]'
	@touch $@

.venv/.production: .venv/.done
	@$(BIN)/uv pip install -q --python $(BIN)/python -c requirements.lock -e '.[production]'
	@touch $@

lock: .venv/.done
	$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --extra dev -c constraints.txt --no-header --no-annotate --no-emit-index-url --no-emit-find-links -o requirements.lock pyproject.toml

clean:
	rm -rf .venv .logcache .tools
