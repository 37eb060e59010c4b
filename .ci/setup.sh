#!/bin/sh
# Finds Python 3.12 and uv, also where both are hidden.  usage: setup.sh venv DIR | setup.sh uv ARGS...
set -eu

quietly() { "$@" >/dev/null 2>&1; }

# python3 may be another version, with 3.12 known to pyenv alone; uv does not look there by itself.
find_python() {
    for candidate in "${PYTHON:-}" python3.12 python3 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.12*/bin/python3.12; do
        [ -n "$candidate" ] || continue
        if quietly "$candidate" -c 'import sys; assert sys.version_info[:2] == (3, 12)'; then
            command -v "$candidate"
            return
        fi
    done
    echo 3.12 # uv then fetches a CPython of its own
}

find_uv() {
    if quietly uv --version; then
        echo uv
    elif quietly python3 -m uv --version; then
        echo python3 -m uv
    else
        if ! quietly .uv/bin/python -m uv --version; then
            rm -rf .uv
            { python3 -m venv .uv && .uv/bin/python -m pip install --quiet uv; } >&2 || {
                echo "uv could not be installed. Install it (python3 -m pip install uv), then run make again." >&2
                return 1
            }
        fi
        echo .uv/bin/python -m uv
    fi
}

UV=$(find_uv)
UV_PYTHON=$(find_python)
export UV_PYTHON
case ${1:-} in
uv)
    shift
    exec $UV "$@"
    ;;
venv)
    venv=$2
    $UV venv --quiet --allow-existing --python "$UV_PYTHON" "$venv"
    unset UV_PYTHON
    echo "Installing the locked dependencies into $venv (about 8 GB; a minute with a warm cache)" >&2
    $UV pip sync --python "$venv/bin/python" --require-hashes requirements.txt
    $UV pip install --quiet --python "$venv/bin/python" --require-hashes --no-deps --requirements requirements-data.txt
    $UV pip install --quiet --python "$venv/bin/python" --no-deps --editable .
    ;;
*)
    sed -n 2p "$0" >&2
    exit 2
    ;;
esac
