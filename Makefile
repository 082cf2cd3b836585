# Korean video captioning. `make` alone prints what can be made.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check
MODEL  ?= model/default.kcap
FILM   := build/demo/demo.mp4
RESULT := build/demo/demo.captioned

.PHONY: help setup demo serve test test-slow test-notebooks test-web check bench gallery golden clean

help:  ## this list
	@echo "make demo       install what captioning needs, caption a sample film -> $(RESULT).mp4"
	@echo "make serve      install the service too and start it: http://127.0.0.1:8000"
	@echo "make test       install everything, then check"
	@echo "make setup      install everything: captioning, training, the gate's tools"
	@echo "make check      ruff, mypy, pytest (after make setup)"
	@echo "make test-slow  the tests that train, those that start Java, a cluster that loses a node"
	@echo "make test-notebooks  the notebooks, from top to bottom"
	@echo "make test-web   the service in a real browser, under floods and kills (installs chromium)"
	@echo "make bench      CPU time and memory of captioning, against a plain transcode"
	@echo "make gallery    every shot of FILMS=... (and of test photos of DATA=...) beside its sentence"
	@echo "make golden     rewrite the golden files of the tests; review the diff"
	@echo "make clean      remove build/ and caches (keeps $(VENV))"

$(VENV)/made:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it, or make PYTHON=/path/to/python3.11"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed, this is $$("$(PYTHON)" -V). Try: make PYTHON=/path/to/python3.11"; exit 1; }
	"$(PYTHON)" -m venv "$(VENV)"
	@touch $@

# Of scikit-image the demo needs the photos alone, so it comes without SciPy and the rest.
# The stamps make a second `make demo` or `make test` start at once.
$(VENV)/caption: requirements-caption.txt | $(VENV)/made
	@echo "설치 중: 자막 달기에 필요한 것 (installing what captioning needs) ..."
	$(PIP) -r requirements-caption.txt
	$(PIP) --no-deps "$$(grep -o '^scikit-image[^ ]*' requirements-dev.txt)"
	@touch $@

$(VENV)/all: requirements.txt requirements-caption.txt requirements-web.txt requirements-dev.txt | $(VENV)/made
	@echo "설치 중: 학습과 시험까지 (installing everything, some minutes) ..."
	$(PIP) -r requirements.txt -r requirements-web.txt -r requirements-dev.txt
	@touch $@ $(VENV)/caption $(VENV)/web

$(VENV)/web: $(VENV)/caption requirements-web.txt
	@echo "설치 중: 서버 (installing the service) ..."
	$(PIP) -r requirements-web.txt
	@touch $@

$(VENV)/web-test: $(VENV)/all requirements-web-test.txt
	$(PIP) -r requirements-web-test.txt
	@touch $@

setup: $(VENV)/all  ## everything

$(FILM): $(VENV)/caption video/demo.py
	@mkdir -p $(@D)
	$(BIN)/python -m video.demo $@

demo: $(FILM)  ## a sample film, captioned
	$(BIN)/python caption_video.py $(FILM) -o $(RESULT).mp4 --model "$(MODEL)" --overwrite
	$(BIN)/python caption_video.py $(FILM) -o $(RESULT).srt --model "$(MODEL)" --overwrite --quiet
	@echo; cat $(RESULT).srt
	@echo; echo "결과 (result): $(CURDIR)/$(RESULT).mp4"

serve: $(VENV)/web  ## REST and web page
	$(BIN)/python -m video.server --model "$(MODEL)"

check:  ## the gate, without installing
	@test -x $(BIN)/ruff || { echo "Run this first: make setup"; exit 1; }
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -n auto --maxprocesses 4 --dist loadfile

test: setup  ## the gate
	@$(MAKE) --no-print-directory check

test-slow: setup
	$(PIP) -r requirements-cluster.txt
	$(BIN)/python -m pytest -q -m "slow or jvm"

test-notebooks: setup
	$(BIN)/python -m pytest -q -m notebook

# Debian's chromium; another one that is called chromium does as well.
test-web: $(VENV)/web-test
	@command -v chromium > /dev/null || { \
		SUDO=$$([ "$$(id -u)" = 0 ] || echo sudo); \
		$$SUDO apt-get update -qq && $$SUDO apt-get install -y --no-install-recommends chromium; }
	$(BIN)/python -m pytest -q -s -m web

bench: setup
	$(BIN)/python -m bench

gallery: setup
	$(BIN)/python -m video.gallery $(FILMS) $(if $(DATA),--data "$(DATA)") --model "$(MODEL)" --overwrite

golden: setup
	GOLDEN=rewrite $(BIN)/python -m pytest -q -k golden
	git diff --stat -- tests

clean:
	rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
