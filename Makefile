# Motcua: `make run` shows the main job on this machine, `make test` proves it. Both install what is
# missing (Debian packages, and Go where the machine's is too old) and say what they install.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

NFPM := github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.0

# $(call with,build|test) puts the Go that .ci/setup found first on PATH.
with = go_dir=$$(.ci/setup $(1) | tail -n 1); export PATH="$$go_dir:$$PATH"

.PHONY: calibrate results help run build check vulnerabilities test test-race test-libreoffice test-portal soak attack bench bench-ocr bench-queue bench-web bench-drivers bench-keep bench-compare fuzz deb deb-trial boot-trial release clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: ## the main job with a simulated scanner and an embedded receiver; all data in ./var
	@$(call with,build); go build -o motcua ./agent; go build -o $(SANE_WORKER) ./drivers/sane/worker; exec ./motcua run --demo

VERSION ?= 0.1.0
# The small program that holds libsane; its number is explained at sane.Helper.
SANE_WORKER := motcua-sane-worker-1
build: ## build ./motcua, and the small program beside it that holds libsane
	@$(call with,build); go build -ldflags '-X motcua/agent/version.release=$(VERSION)' -o motcua ./agent; \
	rm -f motcua-sane-worker-*; go build -o $(SANE_WORKER) ./drivers/sane/worker

# What takes a minute or more stands first: go test begins with what is named first, and names nothing twice.
# Four packages at once: tests wait for a browser, a daemon, a disk. Two processors were busy for 61 % of the time with two packages, for
# 75 % with three (17 min 28 s, not 19 min 41 s). The four largest take some 4 GB.
LONG := ./agent/web ./agent/attack ./agent/cli ./ocr ./queue ./agent/portal ./agent/office/desk ./drivers/escl ./queue/... ./drivers/lds/...
# .ci/check vets. Nobody debugs these programs: without DWARF, and by mold, their linking takes half, and their compiling an eighth less;
# by GOFLAGS, so that what tests build uses what is compiled (.ci/check sets it, too). The compiler is left more memory before it collects
# (a seventh less of the processor for a cold build), the tests are not. The bound is for what hangs, not for what is slow.
test: ## everything that must hold, in under 30 minutes on 2 cores
	@$(call with,test); export GOFLAGS="$$(go env GOFLAGS) -gcflags=all=-dwarf=false"; \
	GOGC=300 go test -exec 'env -u GOGC' -vet=off -ldflags="-w '-extldflags=-fuse-ld=mold -Wl,--undefined-version'" -p 4 -timeout 60m $(LONG) ./...

check: ## the quick look before a commit: vet, analysers, tidy, tests without real parts
	@$(call with,build); .ci/check

vulnerabilities: ## known vulnerabilities that the program can reach (govulncheck), where their database can be
	@$(call with,build); .ci/vulnerabilities

test-race: ## the tests of what runs side by side, with the race detector
	@$(call with,test); go test -race -timeout 40m ./agent/... ./drivers/... ./queue/...

test-libreoffice: ## every official form as DOCX through LibreOffice (Debian package libreoffice-writer-nogui) against our PDF
	LIBREOFFICE=1 go test -count=1 -run LibreOffice ./agent/form

test-portal: ## every map of the portal on the known and on three drifted versions of its forms
	@$(call with,test); PORTAL_ALL=1 go test -count=1 -v ./agent/portal

soak: ## the long versions: 1,000 kills, 1,000 scans, 10,000 readings, the fleet, a birth registration with human pauses; as root also boot-trial
	@$(call with,test); MOTCUA_SOAK=1 go test -count=1 -timeout 6h -v -run 'Soak|Crash|Kill|Fleet|Cuts|Damage|Contract' ./...
	@if [ "$$(id -u)" -eq 0 ]; then $(MAKE) --no-print-directory boot-trial; else echo "boot-trial takes root: left out"; fi

FOLDER ?=
boot-trial: deb ## package, units, worker's bounds, screen on Debian 12's own kernel in qemu (as root); BOOT_PARTS=screen FOLDER=DIR: a part, kept
	@$(call with,soak); configs/packaging/boot dist/motcua_$(VERSION)_*.deb $(FOLDER)

FILES ?=
attack: ## every attack against a started daemon, told one by one; FILES=DIR also takes a folder of nasty files through it
	@$(call with,test); FILES=$(abspath $(FILES)) MOTCUA_SOAK=1 go test -count=1 -v -timeout 6h ./agent/attack ./ocr/sandbox ./agent/control

bench: bench-ocr bench-queue bench-web bench-drivers ## every figure, as ratios side by side in one run

bench-ocr: ## all sets (own, forged, look-alikes, rare tones, zones, files, columns) and the time beside the tesseract CLI
	@$(call with,test); go test -run '^$$' -bench . -benchtime 5x ./ocr ./ocr/ctc; mkdir -p .make; go build -o .make/bench-ocr ./ocr/lab/bench; \
	.make/bench-ocr -n 12 -heldout $(KEEP_OCR); \
	.make/bench-ocr -tesseract 0 -forged -sets clean,office -n 16 $(KEEP_OCR); \
	.make/bench-ocr -tesseract 0 -lookalikes -sets office -n 19 $(KEEP_OCR); \
	.make/bench-ocr -tesseract 0 -rare -sets clean,office -n 16 $(KEEP_OCR); \
	.make/bench-ocr -render $(OCR_RESULTS); \
	go test -count=1 -v -run 'Zones|ReadsTheFilesPeopleHave|ColumnsAre' ./ocr | grep -E '^(---|ok|FAIL)|in order|zones read'

OCR_RESULTS := ocr/lab/bench/results.jsonl
KEEP_OCR := -keep $(OCR_RESULTS)
results: ## render ocr/lab/bench/RESULTS.md from what was measured
	@$(call with,build); go run ./ocr/lab/bench -render $(OCR_RESULTS)

calibrate: ## count on the tuning pages how often values were right, write ocr/calibration.json, and print the table of held-back ones
	@$(call with,build); mkdir -p .make; go build -o .make/bench-ocr ./ocr/lab/bench; \
	.make/bench-ocr -tesseract 0 -here -tight -sets office,bad,photo,clean -n 60 -calibrate ocr/calibration.json $(KEEP_OCR); \
	go build -o .make/bench-ocr ./ocr/lab/bench; \
	.make/bench-ocr -tesseract 0 -here -tight -heldout -sets office,bad,photo,clean -n 40 $(KEEP_OCR) | grep -E '^(set|confidence)'; \
	.make/bench-ocr -render $(OCR_RESULTS)

bench-queue: ## durable enqueue, start with a backlog, upload beside curl
	@$(call with,test); .ci/bench queue go test -p 1 -run '^$$' -bench . -timeout 60m ./queue/...

bench-web: ## page weight, first paint and key press, measured in Chromium
	@$(call with,test); .ci/bench web go test -run '^$$' -bench . ./agent/web/...

bench-drivers: ## pages a second beside scanimage and sane-airscan, readings a second
	@$(call with,test); .ci/bench drivers go test -p 1 -run '^$$' -bench . ./drivers/...

bench-keep: ## keep the figures of the last runs as JSON with machine and commit (.ci/figures), to be committed
	@.ci/bench --keep

bench-compare: ## hold the figures of the last runs against those kept last
	@.ci/bench --compare

FUZZTIME ?= 30s
fuzz: ## every fuzz target for FUZZTIME (30s) each
	@$(call with,test); \
	go list -f '{{.Dir}}' ./... | while read -r dir; do \
		{ grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$$dir"/*_test.go 2>/dev/null || true; } | sed 's/func //' | while read -r target; do \
			echo "== $${dir#$$PWD/} $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$dir" </dev/null; \
		done; \
	done

deb: build ## a Debian package in dist/
	@$(call with,build); mkdir -p dist; ./motcua manual >dist/motcua.1; ./motcua completion >dist/motcua.bash; .ci/third-party >dist/THIRD-PARTY.txt; \
	go run ./agent/portal/pack -o dist/portal; \
	DEB_ARCH=$$(dpkg --print-architecture) DEB_VERSION=$(VERSION) go run $(NFPM) package --config configs/packaging/nfpm.yaml --packager deb --target dist/

KEY ?=
DRAFT ?=
release: ## a signed release of the tag at HEAD in dist/: KEY=minisign.key, or DRAFT=1.2.3 to try it without a tag
	@$(call with,release); .ci/release $(if $(KEY),--key '$(KEY)') $(if $(DRAFT),--draft '$(DRAFT)')

# The build whose data folder is the upgrade's fixture (agent/cli/testdata/upgrade).
OLD_COMMIT := 872d8acd6408dabaac625d46416ce5e1269cf9ef
deb-trial: deb ## install, upgrade over an older kiosk's data, run, remove and purge the package on a clean root (as root)
	@$(call with,release); old=.make/old-build; [ -d $$old ] || git worktree add --detach $$old $(OLD_COMMIT); \
	$(MAKE) --no-print-directory -C $$old deb VERSION=0.0.1; configs/packaging/trial dist/motcua_$(VERSION)_*.deb $$old/dist/motcua_0.0.1_*.deb

clean: ## remove what was built; ./var (the demo's data) stays
	rm -rf motcua motcua-sane-worker-* .make dist
