# Sourced by the scripts of the repository: makes `.venv` with exactly what the lock names.
# usage: prepare_environment run|dev

prepare_environment() {
    local lock="requirements/$1.txt" python="" candidate
    unset PYTHONDONTWRITEBYTECODE # compiled modules make every start faster
    for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11; do
        if [ -n "$candidate" ] && command -v "$candidate" > /dev/null &&
            "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))'; then
            python="$candidate"
            break
        fi
    done
    if [ -z "$python" ]; then
        echo "ienfd needs Python 3.11 to 3.14: apt install python3 python3-venv" >&2
        exit 1
    fi
    local wanted present=""
    wanted="$(cat pyproject.toml requirements/*.txt | sha256sum | cut -d' ' -f1) $1"
    [ -f .venv/.ienfd ] && present="$(cat .venv/.ienfd)"
    # what the tests need holds all that a run needs
    if [ "$present" = "$wanted" ] || [ "$present" = "${wanted% *} dev" ]; then
        return
    fi
    echo "Setting up .venv (once; some minutes) ..."
    rm -rf .venv
    if ! "$python" -m venv .venv; then
        echo "Python cannot make a virtual environment: apt install python3-venv" >&2
        exit 1
    fi
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
    echo "$wanted" > .venv/.ienfd
}
