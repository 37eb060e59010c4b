"""``.ci/setup.sh``, with interpreters and a uv that only say what they are: nothing is fetched."""

import shutil
import subprocess
from pathlib import Path

import pytest

SETUP = Path(__file__).parents[1] / ".ci/setup.sh"
TOOLS = ("cut", "env", "id", "mkdir", "rm", "sed", "sh", "tr")

PYTHON_312 = 'echo "$0"'
PYTHON_311 = "exit 1"
SHIM = "echo 'pyenv: python3.12: command not found' >&2; exit 127"
UV = f'[ "$1" = --version ] || {shutil.which("env")}'


def write_command(path, script):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def machine(tmp_path):
    """Make a machine of its own, and return what runs the script there and gives the environment of its uv.

    ``commands`` are on PATH, ``files`` elsewhere, by their path below the machine; both are scripts.
    """
    for tool in TOOLS:
        (tmp_path / "tools").mkdir(exist_ok=True)
        (tmp_path / "tools" / tool).symlink_to(shutil.which(tool))
    write_command(tmp_path / "tools/getent", f"echo me:x:0:0::{tmp_path}/home:/bin/sh")

    def run(commands=(), files=(), uv=UV, **environment):
        (tmp_path / "home").mkdir(exist_ok=True)
        (tmp_path / "project").mkdir(exist_ok=True)
        for name, script in {**dict(commands), **({"uv": uv} if uv else {})}.items():
            write_command(tmp_path / "bin" / name, script)
        for path, script in dict(files).items():
            write_command(tmp_path / path, script)
        settings = {"PATH": f"{tmp_path}/bin:{tmp_path}/tools", "HOME": f"{tmp_path}/home"} | environment
        ended = subprocess.run(
            ["/bin/sh", SETUP, "uv", "probe"],
            cwd=tmp_path / "project",
            env={name: value for name, value in settings.items() if value is not None},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return dict(line.partition("=")[::2] for line in ended.stdout.splitlines())

    return run


@pytest.mark.parametrize(
    "place",
    [
        "home/.pyenv/versions/3.12.9/bin/python3.12",
        "home/.local/share/uv/python/cpython-3.12.3-linux-x86_64-gnu/bin/python3.12",
    ],
)
@pytest.mark.parametrize("home", ["home", "elsewhere", None])
def test_python_is_found_where_pyenv_and_uv_keep_it_wherever_home_is(machine, tmp_path, place, home):
    environment = {"HOME": home and str(tmp_path / home)}
    found = machine({"python3": PYTHON_311, "python3.12": SHIM}, {place: PYTHON_312}, **environment)
    assert found["UV_PYTHON"] == str(tmp_path / place)


@pytest.mark.parametrize(
    ("variable", "folder", "place"),
    [
        ("PYENV_ROOT", "a pyenv", "versions/3.12.1/bin/python3.12"),
        ("UV_PYTHON_INSTALL_DIR", "pythons", "cpython-3.12.3/bin/python3.12"),
        ("XDG_DATA_HOME", "data", "uv/python/cpython-3.12.3/bin/python3.12"),
    ],
)
def test_python_is_found_where_a_variable_says(machine, tmp_path, variable, folder, place):
    found = machine({}, {f"{folder}/{place}": PYTHON_312}, **{variable: str(tmp_path / folder)})
    assert found["UV_PYTHON"] == str(tmp_path / folder / place)


def test_python_is_found_behind_a_shim_that_knows_none(machine, tmp_path):
    shims, distribution = tmp_path / "pyenv/shims", tmp_path / "usr"
    path = f"{shims}:{distribution}:{tmp_path}/bin:{tmp_path}/tools"
    files = {"pyenv/shims/python3.12": SHIM, "usr/python3.12": PYTHON_312}
    assert machine({}, files, PATH=path)["UV_PYTHON"] == str(distribution / "python3.12")


def test_pyenv_is_known_by_its_shims(machine, tmp_path):
    files = {"pyenv/shims/python3": SHIM, "pyenv/versions/3.12.4/bin/python3.12": PYTHON_312}
    found = machine({}, files, PATH=f"{tmp_path}/pyenv/shims:{tmp_path}/bin:{tmp_path}/tools")
    assert found["UV_PYTHON"] == str(tmp_path / "pyenv/versions/3.12.4/bin/python3.12")


def test_python_that_is_named_comes_first(machine, tmp_path):
    found = machine({"python3.12": PYTHON_312}, {"mine": PYTHON_312}, PYTHON=f"{tmp_path}/mine")
    assert found["UV_PYTHON"] == f"{tmp_path}/mine"


def test_another_version_is_found_where_it_is_asked_for(machine, tmp_path):
    place = "home/.pyenv/versions/3.11.9/bin/python3.11"
    files = {place: PYTHON_312, "home/.pyenv/versions/3.12.9/bin/python3.12": PYTHON_312}
    found = machine({"python3.12": PYTHON_312, "python3.11": SHIM}, files, SETUP_PYTHON="3.11")
    assert found["UV_PYTHON"] == str(tmp_path / place)


def test_uv_fetches_a_python_where_there_is_none_and_does_not_stumble_over_a_shim(machine):
    found = machine({"python3.12": SHIM, "python3": PYTHON_311})
    if found["UV_PYTHON"] == "3.12":
        assert found["UV_PYTHON_PREFERENCE"] == "only-managed"
    else:
        assert found["UV_PYTHON"].startswith(("/usr/", "/opt/")), "of the distribution"


def test_certificates_of_the_system_are_trusted_by_uv_and_pip(machine):
    found = machine()
    assert found["UV_SYSTEM_CERTS"] == found["UV_NATIVE_TLS"] == "true"
    assert Path(found["PIP_CERT"]).is_file()
    assert machine(UV_SYSTEM_CERTS="false")["UV_NATIVE_TLS"] == "false", "what a person has set, stays"


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_certificates_that_the_environment_names_are_trusted_by_uv_and_pip(machine, tmp_path, variable):
    bundle = tmp_path / "company.pem"
    bundle.touch()
    found = machine(**{variable: str(bundle)})
    assert found["SSL_CERT_FILE"] == found["PIP_CERT"] == str(bundle)


def test_certificates_that_are_not_there_do_not_keep_those_of_the_system_from_being_trusted(machine):
    found = machine(SSL_CERT_FILE="/nowhere/company.pem")
    assert "SSL_CERT_FILE" not in found
    assert found["UV_SYSTEM_CERTS"] == "true"


def test_uv_works_in_the_project_where_home_cannot_be_written(machine, tmp_path):
    assert "UV_CACHE_DIR" not in machine()
    found = machine(HOME="/proc/nobody")
    assert found["UV_CACHE_DIR"] == str(tmp_path / "project/.uv/cache")
    assert machine(HOME="/proc/nobody", UV_CACHE_DIR="/mine")["UV_CACHE_DIR"] == "/mine"


def test_uv_is_found_where_its_installer_puts_it(machine):
    assert "UV_PYTHON" in machine(uv=None, files={"home/.local/bin/uv": UV})


def test_uv_is_installed_by_the_python_that_was_found_with_the_certificates_of_the_system(machine, tmp_path):
    """The python3 of a distribution may have no venv."""
    installed = write_command(
        tmp_path / "installed",
        f'case "$*" in "-m pip "*) {shutil.which("env")} >pip;; *"--version") [ -e pip ];; *) {UV};; esac',
    )
    make = f"mkdir -p .uv/bin && cp {installed} .uv/bin/python"
    python = f'case "$*" in -c*) {PYTHON_312};; "-m venv .uv") {make};; *) exit 1;; esac'
    (tmp_path / "tools/cp").symlink_to(shutil.which("cp"))
    assert machine({"python3": "exit 1", "python3.12": python}, uv=None)["UV_PYTHON"] == f"{tmp_path}/bin/python3.12"
    assert "PIP_CERT=/" in (tmp_path / "project/pip").read_text()
