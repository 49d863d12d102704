# The project's commands. `make demo` and `make test` need nothing but Python 3.11+ and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help demo test test-tryton test-mediawiki test-odata test-rt test-databases test-webhooks test-asterisk test-search test-browser test-pop lint types contracts docs check bench bench-serve bench-access bench-audit bench-resolution bench-search bench-pop bench-formats clean bench-privacy
.PHONY: conformance conformance-http conformance-ws conformance-federation conformance-oidc conformance-fuzz conformance-cop conformance-fides

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]' --constraint constraints.txt
	@touch $@

demo: $(INSTALLED) ## the demo company: five sources synced, the API up, tokens and example queries printed
	$(BIN)/hub demo

test: $(INSTALLED) ## all tests, on SQLite and PostgreSQL
	$(BIN)/pytest --numprocesses auto --dist worksteal --quiet

test-search: $(INSTALLED) ## the suite of the three search engines with more examples, and each killed 20 times (ten minutes)
	HUB_TEST_PROFILE=thorough $(BIN)/pytest --quiet tests/search

test-browser: $(INSTALLED) ## the query page in a real browser; needs Chromium, so CI leaves it out
	@command -v chromium chromium-browser google-chrome >/dev/null \
		|| { echo "make test-browser needs Chromium; on Debian: apt-get install chromium"; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev,browser]' --constraint constraints.txt
	$(BIN)/pytest --quiet tests/browser/console.py

test-taps: $(INSTALLED) ## a Singer tap and an Airbyte source as they are published, installed and read (two minutes; needs the network)
	$(BIN)/pytest tests/real/taps.py -q -n 0

test-sftp: $(INSTALLED) ## files of a real SFTP server, Debian's openssh-server (half a minute; needs root)
	@command -v /usr/sbin/sshd >/dev/null || { echo "make test-sftp needs sshd; on Debian: apt-get install openssh-server"; exit 1; }
	$(BIN)/pytest tests/real/sftp.py -q -n 0

test-s3: $(INSTALLED) ## objects of an S3 server, moto as a program of its own (two minutes)
	$(BIN)/pytest tests/real/s3.py -q -n 0

test-imap: $(INSTALLED) ## mail of a real IMAP server, Debian's dovecot-imapd (half a minute; needs root)
	@command -v dovecot >/dev/null || { echo "make test-imap needs Dovecot; on Debian: apt-get install dovecot-imapd"; exit 1; }
	$(BIN)/pytest tests/real/imap.py -q -n 0

test-ldap: $(INSTALLED) ## entries of a real OpenLDAP, Debian's slapd (a minute)
	@command -v /usr/sbin/slapd >/dev/null || { echo "make test-ldap needs slapd; on Debian: apt-get install slapd"; exit 1; }
	$(BIN)/pytest --quiet -n 0 tests/real/ldap.py

test-soap: $(INSTALLED) ## customers of a real SOAP service, PHP's own server (half a minute)
	@command -v php >/dev/null && php -m | grep -qx soap || { echo "make test-soap needs PHP; on Debian: apt-get install php-cli php-soap"; exit 1; }
	$(BIN)/pytest --quiet -n 0 tests/real/soap.py

test-brokers: $(INSTALLED) ## messages of real NATS and RabbitMQ servers, and of librdkafka's mock of Kafka (a minute; needs root)
	@command -v nats-server >/dev/null && command -v rabbitmq-server >/dev/null \
		|| { echo "make test-brokers needs servers; on Debian: apt-get install nats-server rabbitmq-server"; exit 1; }
	$(BIN)/pytest tests/real/brokers.py -q -n 0

test-tryton: $(INSTALLED) ## a real Tryton as ERP, installed, filled, read, changed and read again (six minutes; needs the network)
	$(BIN)/pytest tests/real/tryton.py -q -n 0

test-rt: $(INSTALLED) ## a real Request Tracker 5 as help desk, set up, filled, read, changed and read again (two minutes)
	@[ -d /usr/share/request-tracker5 ] || { echo "make test-rt needs Request Tracker; on Debian: apt-get install" \
		"--no-install-recommends request-tracker5 rt5-db-sqlite rt5-standalone"; exit 1; }
	$(BIN)/pytest --quiet -n 0 tests/real/rt.py

test-databases: $(INSTALLED) ## real MariaDB and PostgreSQL as point of sale, filled, read, changed and read again (a minute)
	@command -v mariadbd >/dev/null || { echo "make test-databases needs MariaDB; on Debian: apt-get install mariadb-server"; exit 1; }
	$(BIN)/pytest --quiet -n 0 tests/real/databases.py

test-odata: $(INSTALLED) ## a real OData service, SAP's CAP, by OData 4 and 2 (three minutes; needs npm and the network)
	@command -v npm >/dev/null || { echo "make test-odata needs npm; on Debian: apt-get install npm"; exit 1; }
	$(BIN)/pytest --quiet -n 0 tests/real/odata.py

test-webhooks: $(INSTALLED) ## webhooks signed and sent by others' packages (a minute; needs npm and the network)
	@command -v npm >/dev/null || { echo "make test-webhooks needs npm; on Debian: apt-get install npm"; exit 1; }
	$(BIN)/pytest --quiet -n 0 tests/real/webhooks.py

test-asterisk: $(INSTALLED) ## a real Asterisk, called over SIP (a minute, at first five; needs root and the network); WRITE=1 records it
	@[ -x .asterisk/usr/sbin/asterisk ] || command -v debootstrap >/dev/null \
		|| { echo "make test-asterisk needs debootstrap; on Debian: apt-get install debootstrap"; exit 1; }
	@[ -x .asterisk/usr/sbin/asterisk ] || debootstrap --variant=minbase --include=asterisk,sip-tester sid .asterisk
	$(BIN)/pytest --quiet -n 0 tests/real/asterisk.py

test-mediawiki: $(INSTALLED) ## a real MediaWiki, installed, filled, read, changed and read again (a minute)
	@test -d /usr/share/mediawiki && command -v php >/dev/null \
		|| { echo "make test-mediawiki needs MediaWiki; on Debian: apt-get install mediawiki php-cli php-sqlite3"; exit 1; }
	$(BIN)/pytest tests/real/mediawiki.py -q -n 0

test-pop: $(INSTALLED) ## the screen pop page in a real browser; needs Chromium; WRITE=1 takes the screenshots of its docs anew
	@command -v chromium chromium-browser google-chrome >/dev/null \
		|| { echo "make test-pop needs Chromium; on Debian: apt-get install chromium"; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev,browser]' --constraint constraints.txt
	$(BIN)/pytest --quiet tests/browser/pop.py

lint: $(INSTALLED) ## ruff: style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED) ## mypy --strict
	$(BIN)/mypy

contracts: $(INSTALLED) ## the floors of the house: which room may import which
	$(BIN)/lint-imports

docs: $(INSTALLED) ## write the generated pages of docs/ anew
	$(BIN)/hub docs

check: lint types contracts test conformance-http conformance-ws conformance-federation conformance-oidc ## all that CI runs

bench: $(INSTALLED) ## sync speed beside dlt, on SQLite and PostgreSQL (about five minutes)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev,bench]' --constraint constraints.txt
	$(BIN)/python bench/sync.py

bench-serve: $(INSTALLED) ## serving speed beside PostGraphile 5 (three minutes; the first time ten more, needs npm)
	$(BIN)/python bench/serve.py

bench-access: $(INSTALLED) ## how long the policy takes to compile, a decision, and masks in the 360 view (a minute)
	$(BIN)/python bench/access.py
	$(BIN)/python bench/masking.py

bench-resolution: $(INSTALLED) ## resolving: arrivals, all at once beside Splink, unmerge, memory; a million parties take an hour
	$(BIN)/python bench/resolution.py

bench-audit: $(INSTALLED) ## how fast the audit log takes events, a million are verified, and what it adds to the 360 query (four minutes)
	$(BIN)/python bench/audit.py
	$(BIN)/python bench/recording.py

bench-search: $(INSTALLED) ## the three search engines beside each other, 100,000 documents: speed and recall (six minutes)
	$(BIN)/python bench/search.py --check

bench-pop: $(INSTALLED) ## how quickly it is said who is calling: a million customers, 200 lookups a second while a sync writes (four minutes)
	$(BIN)/python bench/pop.py 1000000

bench-privacy: $(INSTALLED) ## the privacy map of 40 sources, and where the data of one of a million customers is (ten minutes)
	$(BIN)/python bench/privacy.py 1000000 --check

# What others' tools say of the API; with WRITE=1 their output goes into docs/conformance.md.
CONFORMANCE := $(BIN)/python -m conformance $(if $(WRITE),--write)

conformance: $(INSTALLED) ## all that other people's tools check of the API (about ten minutes)
	$(CONFORMANCE) http ws federation oidc fuzz cop

conformance-http: $(INSTALLED) ## GraphQL over HTTP: graphql-http's audits
	$(CONFORMANCE) http

conformance-ws: $(INSTALLED) ## subscriptions: the client of graphql-ws, and close codes
	$(CONFORMANCE) ws

conformance-federation: $(INSTALLED) ## a supergraph of the hub and another service, by Apollo's own tools
	$(CONFORMANCE) federation

conformance-oidc: $(INSTALLED) ## tokens of a real identity provider, npm's oidc-provider
	$(CONFORMANCE) oidc

conformance-fides: $(INSTALLED) ## the manifests of Fides, by fideslang in an environment of its own
	$(PYTHON) -m venv $(VENV)/fides
	$(VENV)/fides/bin/pip install --quiet --disable-pip-version-check 'fideslang==3.1.4'
	$(BIN)/hub privacy fides $(VENV)/fides/manifests
	$(VENV)/fides/bin/python conformance/fides.py $(VENV)/fides/manifests hub/ontology/taxonomy.yaml

conformance-fuzz: $(INSTALLED) ## schemathesis: 2,000 documents made from the schema
	$(CONFORMANCE) fuzz

conformance-cop: $(INSTALLED) ## graphql-cop's security checks
	$(CONFORMANCE) cop

bench-formats: $(INSTALLED) ## decoders of old formats, beside coboljsonifier and dbfread: speed and memory (two minutes)
	$(BIN)/python bench/formats.py

clean: ## forget the demo's data
	rm -rf var
