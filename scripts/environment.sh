# Sourced by the scripts of the repository: makes `.venv` with exactly what the lock names.
# usage, from the root of the repository: prepare_environment run|dev

prepare_environment() {
    unset PYTHONDONTWRITEBYTECODE # compiled modules make every start faster
    unset PYTHONPATH PYTHONHOME   # nothing from outside the environment takes part
    local python packages wanted
    python="$(_usable_python)"
    # the place belongs to it, because the commands in .venv/bin name their interpreter by its full path
    packages="$(cat pyproject.toml requirements/run.txt requirements/dev.txt | sha256sum | cut -d' ' -f1)"
    wanted="$packages $("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])') $PWD"
    # what the tests need holds all that a run needs
    if _is_prepared "dev $wanted" || _is_prepared "$1 $wanted"; then
        return
    fi
    echo "Setting up .venv with $("$python" --version) (once; some minutes) ..." >&2
    rm -rf .venv
    if ! "$python" -m venv .venv; then
        rm -rf .venv
        _say_what_to_install "$python"
        exit 1
    fi
    # without looking for what else is needed: the lock names all of it
    local pip=(.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --no-deps)
    "${pip[@]}" --no-compile --require-hashes -r "requirements/$1.txt"
    .venv/bin/python -m compileall -q -j 0 .venv/lib > /dev/null || true # some packages hold files of other Pythons
    "${pip[@]}" --no-build-isolation -e . # its builder came with the lock
    .venv/bin/python -m pip check --quiet
    echo "$1 $wanted" > .venv/.prepared
}

_is_prepared() {
    [ -f .venv/.prepared ] && [ "$(cat .venv/.prepared)" = "$1" ] && .venv/bin/python -c 'import ienfd' 2> /dev/null
}

_usable_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11; do
        if [ -n "$candidate" ] && command -v "$candidate" > /dev/null &&
            "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))'; then
            echo "$candidate"
            return
        fi
    done
    echo "ienfd needs Python 3.11, 3.12, 3.13 or 3.14. On Debian: apt-get install python3 python3-venv" >&2
    return 1
}

_say_what_to_install() {
    # Debian takes the modules that make an environment out of its own Python
    local package=python3-venv
    [ "$1" = python3 ] || package="$(basename "$1")-venv"
    echo "$1 cannot make a virtual environment. On Debian: apt-get install $package" >&2
}
