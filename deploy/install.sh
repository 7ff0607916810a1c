#!/bin/sh
# install.sh runtime|dev|lock: brings .venv to what requirements.lock or requirements-dev.lock says, by a pinned uv.
# Nothing happens, and no network is needed, while the lock file is the one that was installed last.
set -eu
cd "$(dirname "$0")/.."
UV_VERSION=0.13.9
python=${PYTHON:-python3}
what=${1:-runtime}
uv=.venv/uv/bin/uv

# The runtime's packages are part of the development ones at the same versions, so `run` is content with either.
stamp() { [ -f ".venv/.installed-$1" ] && cmp -s ".venv/.installed-$1" "$2"; }
case $what in
    runtime) lock=requirements.lock; stamp runtime "$lock" && exit 0 ;;
    dev) lock=requirements-dev.lock; stamp dev "$lock" && exit 0 ;;
    lock) lock= ;;
    *) echo "usage: install.sh runtime|dev|lock" >&2; exit 2 ;;
esac

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
    echo "Ratecard needs Python 3.11 or newer: install it, or name it with PYTHON=/path/to/python3." >&2; exit 1; }
[ -x .venv/bin/python ] || "$python" -m venv --without-pip .venv || {
    echo "Python's venv module is missing: install it (Debian and Ubuntu: python3-venv)." >&2; exit 1; }

# uv reads none of pip's settings: hand on the ones that say where packages come from.
pip_setting() { "$python" -m pip config get "global.$1" 2>/dev/null || true; }
index=${PIP_INDEX_URL:-$(pip_setting index-url)}
[ -z "$index" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$index}"
[ -z "${PIP_EXTRA_INDEX_URL:-}" ] || export UV_INDEX="${UV_INDEX:-$PIP_EXTRA_INDEX_URL}"
[ -z "${PIP_FIND_LINKS:-}" ] || export UV_FIND_LINKS="${UV_FIND_LINKS:-$PIP_FIND_LINKS}"
[ -z "${PIP_CERT:-}" ] || export SSL_CERT_FILE="${SSL_CERT_FILE:-$PIP_CERT}"
[ -z "${SSL_CERT_FILE:-}" ] || export UV_SYSTEM_CERTS=1
export UV_NO_PROGRESS=1 UV_PYTHON_DOWNLOADS=never

if [ ! -x "$uv" ] || [ "$("$uv" --version 2>/dev/null | cut -d' ' -f2)" != "$UV_VERSION" ]; then
    # An existing pip saves the two seconds that a virtual environment with its own pip takes.
    "$python" -m pip install --quiet --no-input --disable-pip-version-check --root-user-action=ignore \
        --upgrade --target .venv/uv "uv==$UV_VERSION" 2>/dev/null || {
        "$python" -m venv .venv/uv || {
            echo "Python's venv module is incomplete: install it (Debian and Ubuntu: python3-venv)." >&2; exit 1; }
        .venv/uv/bin/python -m pip install --quiet --no-input --disable-pip-version-check "uv==$UV_VERSION"
    }
fi

if [ "$what" = lock ]; then
    compile() { "$uv" pip compile --quiet --upgrade --universal --generate-hashes --no-header --python-version 3.11 pyproject.toml "$@"; }
    compile --extra redis --output-file requirements.lock
    compile --extra redis --group dev --constraint requirements.lock --output-file requirements-dev.lock
    exit 0
fi

rm -f .venv/.installed-runtime .venv/.installed-dev
"$uv" pip sync --quiet --require-hashes --python .venv/bin/python "$lock"
cp requirements.lock .venv/.installed-runtime
[ "$what" = runtime ] || cp requirements-dev.lock .venv/.installed-dev
