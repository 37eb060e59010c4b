#!/usr/bin/env bash
# The tests of each part of the software in the oldest and newest environments that it is for; those that need more than
# the part are left out, with a word. usage: matrix.sh [core|wrappers|runner ...]; all where none is named.
set -euo pipefail
cd "$(dirname "$0")/.."

# Part, Python, what is installed: GR00T's own pins, those of IsaacLab 2.3, and the newest.
ROWS="
core     3.10 . numpy==1.26.4 pyzmq==27.0.1 msgpack==1.1.0
core     3.13 .
wrappers 3.10 .[wrappers] numpy==1.26.4 torch==2.7.1 gymnasium==1.0.0
wrappers 3.11 .[isaaclab2] torch==2.7.0 gymnasium==1.2.0
wrappers 3.13 .[wrappers]
runner   3.11 .[runner]
"
# Those of tasks need IsaacLab.
declare -A TESTS=(
    [core]="tests/architecture tests/groot_wrappers"
    [wrappers]="tests/architecture tests/groot_wrappers"
    [runner]="tests/architecture tests/groot_wrappers tests/runners"
)
PYTEST="pytest pytest-timeout pytest-xdist hypothesis"

parts=" ${*:-core wrappers runner} "
failed=()

# What is installed has torch without CUDA where that can be had: a tenth of the size.
install() {
    .ci/setup.sh uv pip install --quiet --torch-backend cpu "$@" 2>/dev/null || .ci/setup.sh uv pip install --quiet "$@"
}

while read -r part version packages; do
    if [[ -z $part || $parts != *" $part "* ]]; then continue; fi
    export SETUP_PYTHON=$version
    folder=.matrix/$part-$version
    if ! .ci/setup.sh uv venv --quiet --allow-existing "$folder"; then
        echo "== $part on Python $version: SKIPPED, as that Python is neither here nor to be had"
        continue
    fi
    # shellcheck disable=SC2086  # words
    install --python "$folder/bin/python" $PYTEST --editable $packages
    echo "== $part on Python $version: $packages"
    # A simulator is in none of them, and what is timed has the machine to itself elsewhere.
    # shellcheck disable=SC2086  # words
    WARM=0 "$folder/bin/python" -m pytest ${TESTS[$part]} --as-installed -n "${WORKERS:-3}" --dist loadfile \
        -m "not simulator and not timing" </dev/null || failed+=("$part on $version")
done <<<"$ROWS"

if ((${#failed[@]})); then
    echo "Failed: ${failed[*]}" >&2
    exit 1
fi
