#!/bin/sh
# Finds Python 3.12 (or SETUP_PYTHON) and uv, also where both are hidden.  usage: setup.sh venv DIR | setup.sh uv ARGS...
set -eu

WANTED=${SETUP_PYTHON:-3.12}
# Fails, or prints the interpreter's path: that of the one behind it, in a virtual environment.
IS_WANTED="import sys; assert '%d.%d' % sys.version_info[:2] == '$WANTED'; print(sys._base_executable)"

quietly() { "$@" >/dev/null 2>&1; }

# HOME may be unset, or name a folder that is not there; the system knows the user's own.
user_home=$(getent passwd "$(id -u)" 2>/dev/null | cut -d: -f6) || user_home=
export HOME="${HOME:-$user_home}"
PATH=$PATH:$HOME/.local/bin:$HOME/.cargo/bin:$user_home/.local/bin # where uv's own installer puts it

# Behind a proxy that inspects TLS only the system's certificates hold, or those that the environment names: uv and
# older versions of pip bring others of their own.
trust_the_system() {
    for bundle in "${SSL_CERT_FILE:-}" "${REQUESTS_CA_BUNDLE:-}" "${CURL_CA_BUNDLE:-}"; do
        if [ -f "$bundle" ] && [ -r "$bundle" ]; then
            export SSL_CERT_FILE="$bundle" PIP_CERT="${PIP_CERT:-$bundle}"
            return
        fi
    done
    unset SSL_CERT_FILE
    for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem \
        /etc/ssl/cert.pem; do
        if [ -r "$bundle" ]; then
            export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}" PIP_CERT="${PIP_CERT:-$bundle}"
            export UV_NATIVE_TLS="${UV_NATIVE_TLS:-$UV_SYSTEM_CERTS}" # as uv called it before
            return
        fi
    done
}

# uv keeps below the home folder what it fetches; where that cannot be written, it does so here.
find_room() {
    cache=${XDG_CACHE_HOME:-$HOME/.cache}/uv
    if [ -z "${UV_CACHE_DIR:-}" ] && ! { [ -d "$HOME" ] && quietly mkdir -p "$cache" && [ -w "$cache" ]; }; then
        export UV_CACHE_DIR="$PWD/.uv/cache" UV_PYTHON_INSTALL_DIR="${UV_PYTHON_INSTALL_DIR:-$PWD/.uv/python}"
    fi
}

# Every place where the Python may be, a line each. What PATH names first may be another version, or a shim of pyenv
# that knows none; uv looks neither behind that nor into pyenv's own folders.
candidates() {
    printf '%s\n' "${PYTHON:-}"
    for name in "python$WANTED" python3 python; do
        each_of_path | sed "s,\$,/$name,"
    done
    { printf '%s\n' "${PYENV_ROOT:-}" && each_of_path | sed -n 's,/shims$,,p' && below_home .pyenv; } |
        below_each "versions/$WANTED*/bin/python$WANTED"
    { printf '%s\n' "${UV_PYTHON_INSTALL_DIR:-}" "${XDG_DATA_HOME:-}/uv/python" && below_home .local/share/uv/python; } |
        below_each "cpython-$WANTED*/bin/python$WANTED"
    printf '%s\n' /usr/local /usr /opt/* /opt/*/* | below_each "bin/python$WANTED"
}

each_of_path() { printf '%s\n' "$PATH" | tr : '\n'; }

below_home() { printf '%s\n' "$HOME/$1" "$user_home/$1"; }

# Names the files of a pattern below each of the folders that it reads.
below_each() {
    while IFS= read -r folder; do
        printf '%s\n' "$folder"/$1
    done
}

find_python() {
    candidates | while IFS= read -r candidate; do
        if quietly command -v "$candidate" && "$candidate" -c "$IS_WANTED" 2>/dev/null </dev/null; then
            break
        fi
    done
}

# Names the Python that has uv; nothing where uv is a command.
find_uv() {
    quietly uv --version && return
    for base in "${UV_PYTHON:-python3}" python3 .uv/bin/python; do
        if quietly "$base" -m uv --version; then
            echo "$base"
            return
        fi
    done
    for base in "${UV_PYTHON:-python3}" python3; do
        rm -rf .uv/bin .uv/lib .uv/lib64 .uv/include .uv/pyvenv.cfg
        if "$base" -m venv .uv >&2 && .uv/bin/python -m pip install --quiet uv >&2; then
            echo .uv/bin/python
            return
        fi
    done
    echo "uv could not be installed. Install it (python3 -m pip install uv), then run make again." >&2
    return 1
}

run_uv() {
    if [ -n "$WITH_UV" ]; then
        "$WITH_UV" -m uv "$@"
    else
        uv "$@"
    fi
}

trust_the_system
find_room
UV_PYTHON=$(find_python)
WITH_UV=$(find_uv)
if [ -z "$UV_PYTHON" ]; then
    # uv then fetches a CPython of its own, and does not stumble over what PATH names.
    UV_PYTHON=$WANTED
    export UV_PYTHON_PREFERENCE=only-managed
fi
export UV_PYTHON
case ${1:-} in
uv)
    shift
    run_uv "$@"
    ;;
venv)
    venv=$2
    run_uv venv --quiet --allow-existing --python "$UV_PYTHON" "$venv"
    unset UV_PYTHON UV_PYTHON_PREFERENCE
    echo "Installing the locked dependencies into $venv (about 8 GB; a minute with a warm cache)" >&2
    run_uv pip sync --python "$venv/bin/python" --require-hashes requirements.txt
    run_uv pip install --quiet --python "$venv/bin/python" --require-hashes --no-deps --requirements requirements-data.txt
    run_uv pip install --quiet --python "$venv/bin/python" --no-deps --editable .
    ;;
*)
    sed -n 2p "$0" >&2
    exit 2
    ;;
esac
