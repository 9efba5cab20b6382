# Fenceline. `make` alone prints what there is.

.DEFAULT_GOAL := help
.PHONY: help run k8s-check test fuzz bench validate lint format requirements seed status clean

# The first Python here that is new enough; `make run PYTHON=/path/to/python` overrides it.
PYTHON ?= $(shell for python in python3 python3.12 python3.13 python3.11 python3.14; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)
VENV := .venv/bin
export PYTHONPATH := $(CURDIR)
# A part of the tests, or other options: make test TESTS="tests/alerts -k climb"
TESTS ?=
# Field trials to validate against: a folder laid out as `services/model/validation/trials.py` says.
DATA ?= ../shared/validation

define install
	@test -n "$(PYTHON)" || { echo "fenceline: Python 3.11 or newer was not found: install it, then again |" \
		"未找到 Python 3.11 或更高版本：请安装后重试" >&2; exit 2; }
	@"$(PYTHON)" launcher/install.py $(1)
endef

help: ## Show this list | 显示本列表
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Set up and run everything with a simulated park (ARGS="--speed 10 --no-simulator") | 安装并运行（含模拟园区）
	$(call install,run)
	@exec $(VENV)/python -m launcher run $(ARGS)

status: ## Say what runs | 查看运行状态
	@$(VENV)/python -m launcher status

seed: ## Load a park file into the running system (PARK=path) | 向运行中的系统载入园区文件
	@$(VENV)/python -m launcher seed $(PARK)

test: ## Install what tests need and run them all | 安装测试依赖并运行全部测试
	$(call install,test)
	@$(VENV)/python -m pytest -q -n 2 --dist loadgroup $(TESTS)

k8s-check: ## Render every overlay and check it against Kubernetes and the code | 渲染并检查全部 Kubernetes 清单
	$(call install,dev)
	@$(VENV)/python -m pytest -q tests/deploy

fuzz: ## Try changed inputs on the reader of HJ 212 (SECONDS=600) | 对 HJ 212 读取程序做模糊测试
	$(call install,test)
	@$(VENV)/python -m tests.fuzz $(SECONDS)

bench: ## Measure speed beside the peers (ONLY="model.footprint_ms model.over") | 与同类软件对比测速
	$(call install,bench)
	@.venv-bench/bin/python -m bench $(ONLY)

validate: ## Score the engines on field trials (DATA=../shared/validation) | 用现场试验检验扩散模型
	$(call install,test)
	@$(VENV)/python -m services.model.validation --data $(DATA)

lint: ## Style, types and import rules | 代码风格、类型与导入规则检查
	$(call install,lint)
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check .
	@$(VENV)/mypy
	@$(VENV)/lint-imports --no-logo
	@cd services/gateway/web && npm run --silent check

format: ## Put the code into shape | 自动整理代码格式
	$(call install,dev)
	@$(VENV)/ruff check --fix -q . ; $(VENV)/ruff format .

requirements: ## Pin every dependency group with hashes (UPGRADE=--upgrade for newer versions) | 锁定依赖版本
	$(call install,dev)
	@for group in dev ingest alerts model gateway simulator run bench; do \
		test $$group = dev && constraint= || constraint="--constraint requirements/dev.txt"; \
		$(VENV)/uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header $(UPGRADE) \
			--group pyproject.toml:$$group $$constraint -o requirements/$$group.txt && echo "  requirements/$$group.txt" \
			|| exit 1; \
	done

clean: ## Remove what was built and installed, and all of the demo's data | 清除构建、安装与演示数据
	rm -rf .venv .venv-bench .fenceline .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	rm -rf services/gateway/web/node_modules services/gateway/web/dist tests/timescale/node_modules
