"""Set up what `make` targets need, once: `python3 launcher/install.py run|dev|lint|test|bench`.

Runs before anything is installed, so it uses the standard library alone and parses on old Pythons. A step
whose inputs have not changed since it last succeeded (its stamp holds a hash of them) takes no time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from launcher.tell import Refusal, refuse, step

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
# The peers that benchmarks measure against bring a hundred packages that nothing else here needs.
BENCH_VENV = ROOT / ".venv-bench"
LOG = ROOT / ".fenceline" / "logs" / "install.log"
WEB = ROOT / "services" / "gateway" / "web"
TIMESCALE = ROOT / "tests" / "timescale"

OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 20
ROOM_TO_INSTALL_MB = 2_000
TOOLS = ROOT / ".fenceline" / "tools"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def check_python() -> None:
    """Refuse a Python that is too old or cannot make virtual environments."""
    if sys.version_info < OLDEST_PYTHON:
        found = "{}.{}".format(*sys.version_info[:2])
        raise Refusal(
            f"Python 3.11 or newer is needed, this is {found}: install it, then `make run PYTHON=python3.11`",
            f"需要 Python 3.11 或更高版本，当前为 {found}：请安装后执行 `make run PYTHON=python3.11`",
        )
    try:
        import ensurepip  # noqa: F401  (Debian ships Python without it)
    except ImportError:
        package = "python{}.{}-venv".format(*sys.version_info[:2])
        raise Refusal(
            f"Python's venv module is incomplete: `apt-get install {package}`, then again",
            f"Python 的 venv 模块不完整：请执行 `apt-get install {package}` 后重试",
        ) from None


def check_node() -> None:
    """Refuse a machine without Node 20 or without npm."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            raise Refusal(
                f"{tool} was not found: install Node.js {OLDEST_NODE} or newer (with npm), then again",
                f"未找到 {tool}：请安装 Node.js {OLDEST_NODE} 或更高版本（含 npm）后重试",
            )
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    major = said.lstrip("v").split(".")[0]
    if not major.isdigit() or int(major) < OLDEST_NODE:
        raise Refusal(
            "Node.js {} or newer is needed, this is {}: update it, then again".format(OLDEST_NODE, said or "unknown"),
            "需要 Node.js {} 或更高版本，当前为 {}：请更新后重试".format(OLDEST_NODE, said or "未知"),
        )


def check_room() -> None:
    """Refuse to start an installation that the disk cannot hold."""
    free_mb = shutil.disk_usage(str(ROOT)).free // 1_000_000
    if free_mb < ROOM_TO_INSTALL_MB:
        raise Refusal(
            f"{free_mb} MB free on the disk of {ROOT}, {ROOM_TO_INSTALL_MB} MB needed: free some space, then again",
            f"{ROOT} 所在磁盘仅剩 {free_mb} MB，需要 {ROOM_TO_INSTALL_MB} MB：请清理后重试",
        )


def install_python(requirements: str, environment: Path) -> None:
    """A virtual environment with the pinned packages of `requirements/<requirements>.txt`, hashes checked."""
    pins = ROOT / "requirements" / (requirements + ".txt")
    stamp = environment / ("installed-" + requirements)
    inputs = fingerprint([pins], "{}.{}".format(*sys.version_info[:2]))
    python = environment / "bin" / "python"
    if python.exists() and is_current(stamp, inputs):
        return
    check_room()
    if not python.exists():
        with step("Python environment", "Python 虚拟环境"):
            venv.create(str(environment), with_pip=True, clear=environment.exists(), symlinks=True)
    with step(f"Python packages ({requirements})", f"Python 依赖包（{requirements}）"):
        options = ["--require-hashes", "--no-input", "--disable-pip-version-check", "-r", str(pins)]
        quietly([str(python), "-m", "pip", "install", *options])
    stamp.write_text(inputs)


def install_commands(environment: Path) -> None:
    """The commands of `[project.scripts]`, run from this checkout: what an editable install would give, with no build.

    A `.pth` file lets the environment's Python import the project from anywhere.
    """
    import tomllib

    [packages] = (environment / "lib").glob("python*/site-packages")
    write_if_other(packages / "fenceline.pth", f"{ROOT}\n")
    for name, entry in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"].items():
        module, function = entry.split(":")
        command = environment / "bin" / name
        # The path of an interpreter after #! may not be long or hold a blank; a shell that hands over takes any.
        hand_over = ["#!/bin/sh", f'\'\'\'exec\' "{environment}/bin/python" "$0" "$@"', "' '''"]
        lines = [*hand_over, "import sys", f"from {module} import {function}", f"sys.exit({function}())", ""]
        write_if_other(command, "\n".join(lines))
        command.chmod(0o755)


def write_if_other(path: Path, text: str) -> None:
    """Write a file unless it says exactly this already."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def install_npm(folder: Path, en: str, zh: str) -> None:
    """`npm ci` in a folder with a lock file."""
    stamp = folder / "node_modules" / ".installed"
    inputs = fingerprint([folder / "package.json", folder / "package-lock.json"])
    if is_current(stamp, inputs):
        return
    check_node()
    check_room()
    with step(en, zh):
        quietly(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], folder)
    stamp.write_text(inputs)


def build_page() -> None:
    """The web page, built again when any of its sources changed."""
    install_npm(WEB, "web page: packages", "网页：依赖包")
    stamp = WEB / "dist" / ".built"
    apart = {"node_modules", "dist"}
    sources = (path for path in WEB.rglob("*") if path.is_file() and not apart & set(path.relative_to(WEB).parts))
    inputs = fingerprint(sources)
    if is_current(stamp, inputs):
        return
    check_node()
    with step("web page: build", "网页：构建"):
        quietly(["npm", "run", "build"], WEB)
    stamp.write_text(inputs)


def find_browser() -> str | None:
    """A Chromium for the browser tests: FENCELINE_CHROMIUM, or one on the path."""
    named = os.environ.get("FENCELINE_CHROMIUM")
    return named or next(filter(None, map(shutil.which, BROWSERS)), None)


def install_browser() -> None:
    """Chromium from the distribution's packages when the machine has none."""
    if find_browser():
        return
    refusal = Refusal(
        "no Chromium was found and it cannot be installed from here: `sudo apt-get install chromium`, or name one in "
        "FENCELINE_CHROMIUM, then again",
        "未找到 Chromium 且无法自动安装：请执行 `sudo apt-get install chromium`，或用 FENCELINE_CHROMIUM 指定后重试",
    )
    become = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if shutil.which("apt-get") is None or (become and shutil.which("sudo") is None):
        raise refusal
    apt = [*become, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y"]
    with step("Chromium for the browser tests", "浏览器测试所需的 Chromium"):
        try:
            quietly([*apt, "update"])
            quietly([*apt, "install", "--no-install-recommends", "chromium"])
        except Refusal:
            raise refusal from None


def find_broker() -> tuple[str, dict[str, str]] | None:
    """An MQTT broker for tests, and what its environment needs: one of the machine, or one unpacked by us."""
    installed = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if installed:
        return installed, {}
    unpacked = TOOLS / "mosquitto" / "usr" / "sbin" / "mosquitto"
    if not unpacked.exists():
        return None
    folders = sorted({str(path.parent) for path in (TOOLS / "mosquitto").rglob("*.so.*")})
    return str(unpacked), {"LD_LIBRARY_PATH": ":".join(folders)}


def install_broker() -> None:
    """Mosquitto from the distribution's packages, unpacked beside the checkout: no root needed, no daemon started."""
    if find_broker():
        return
    refusal = Refusal(
        "no MQTT broker was found and none can be fetched from here: `sudo apt-get install mosquitto`, then again",
        "未找到 MQTT 代理且无法自动获取：请执行 `sudo apt-get install mosquitto` 后重试",
    )
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise refusal
    packages = TOOLS / "packages"
    packages.mkdir(parents=True, exist_ok=True)
    with step("MQTT broker for tests", "测试用 MQTT 代理"):
        try:
            if os.geteuid() == 0:
                quietly(["apt-get", "-qq", "update"])
            plan = subprocess.run(
                ["apt-get", "install", "--simulate", "--no-install-recommends", "mosquitto"],
                capture_output=True,
                text=True,
                check=False,
            ).stdout
            needed = [line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")]
            quietly(["apt-get", "download", *(needed or ["mosquitto"])], packages)
            for package in sorted(packages.glob("*.deb")):
                quietly(["dpkg-deb", "-x", str(package), str(TOOLS / "mosquitto")])
        except Refusal:
            raise refusal from None


def quietly(command: list[str], folder: Path = ROOT) -> None:
    """Run a command with its output in the log; on failure say what it said last and where the rest is."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("a+") as log:
        log.write("$ {}\n".format(" ".join(command)))
        log.flush()
        begin = log.tell()
        done = subprocess.run(command, cwd=str(folder), stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False)
        if done.returncode == 0:
            return
        log.seek(begin)
        said = [line.strip() for line in log.read().splitlines() if line.strip()]
    name = Path(command[0]).name
    last = next((line for line in reversed(said) if "error" in line.lower()), said[-1] if said else "")
    if any("No space left on device" in line or "ENOSPC" in line for line in said):
        raise Refusal(
            f"the disk is full: free some space, then again ({LOG})",
            f"磁盘已满：请清理后重试（{LOG}）",
        )
    raise Refusal(
        f"{name} failed: {last[:200]} (all of it: {LOG}; check the network, then again)",
        f"{name} 失败，完整输出见 {LOG}；请检查网络后重试",
    )


def fingerprint(paths: Iterable[Path], more: str = "") -> str:
    """A hash of the names and contents of files."""
    digest = hashlib.sha256(more.encode())
    for path in sorted(paths):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def is_current(stamp: Path, inputs: str) -> bool:
    """Whether a step last succeeded with exactly these inputs."""
    return stamp.exists() and stamp.read_text() == inputs


def install(purpose: str) -> None:
    """All that `purpose` needs: `run`: the system, `dev`: tools, `lint`: checks, `test`: tests, `bench`: peers."""
    check_python()
    environment = BENCH_VENV if purpose == "bench" else VENV
    install_python(purpose if purpose in ("run", "bench") else "dev", environment)
    install_commands(environment)
    if purpose == "lint":
        install_npm(WEB, "web page: packages", "网页：依赖包")
    if purpose in ("run", "test"):
        build_page()
    if purpose == "test":
        install_npm(TIMESCALE, "TimescaleDB for tests", "测试用 TimescaleDB")
        install_browser()
        install_broker()


def main() -> int:
    """The command line."""
    try:
        install(sys.argv[1])
    except Refusal as refusal:
        return refuse(refusal)
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        return refuse(
            Refusal(
                f"cannot go on: {error.strerror} ({error.filename})",
                f"无法继续：{error.strerror}（{error.filename}）",
            )
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
