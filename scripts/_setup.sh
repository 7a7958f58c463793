# Sourced by the scripts beside it. It sets `root` and `venv`, and offers:
#   set_up [EXTRA]           make the virtual environment, and install netlab with that extra into it, if need be
#   need_programs P:PKG ...  install missing programs with apt, where that can be done; say so where it can't

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
venv=$root/.venv
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

say() { printf '== %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

find_python() {
  local name
  for name in python3 python3.14 python3.13 python3.12 python3.11; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      "$name" -c 'import ensurepip, venv' 2>/dev/null ||
        die "$name has no venv module (on Debian: apt-get install python3-venv)"
      command -v "$name"
      return
    fi
  done
  die "netlab needs Python 3.11 or newer, and found none (tried python3 and python3.11 to python3.14)"
}

# Run a command whose output matters only if it fails.
quietly() {
  local log
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1 </dev/null; then
    tail -n 30 "$log" >&2
    rm -f "$log"
    die "this failed: $*"
  fi
  rm -f "$log"
}

# Whole: it runs, it has pip, and it was made here (a moved environment's commands name the old place).
venv_is_whole() {
  "$venv/bin/python" -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null &&
    { [ ! -e "$venv/netlab-installed" ] || grep -qxF "in $root" "$venv/netlab-installed"; }
}

set_up() {
  local extra=${1:-} stamp=$venv/netlab-installed python key
  if ! venv_is_whole; then
    python=$(find_python)
    say "making .venv with $("$python" --version)"
    rm -rf "$venv" 2>/dev/null || die "$venv cannot be made anew: it is another user's; use a checkout of your own"
    quietly "$python" -m venv "$venv"
  fi
  # What an installation depends on. A stamp of an older one counts for nothing.
  key=$(cat "$root/setup.cfg" "$root/pyproject.toml" "$venv/pyvenv.cfg" | cksum)
  if ! grep -qxF "$key [$extra]" "$stamp" 2>/dev/null; then
    say "installing netlab${extra:+[$extra]} into .venv"
    (cd "$root" && quietly "$venv/bin/python" -m pip install --editable ".${extra:+[$extra]}")
    grep -qF "$key [" "$stamp" 2>/dev/null || echo "in $root" >"$stamp"
    echo "$key [$extra]" >>"$stamp"
    [ -z "$extra" ] || echo "$key []" >>"$stamp" # netlab itself is there too
  fi
}

need_programs() {
  local pair missing=() packages=()
  for pair in "$@"; do
    command -v "${pair%%:*}" >/dev/null || { missing+=("${pair%%:*}"); packages+=("${pair##*:}"); }
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "installing ${packages[*]}"
    export DEBIAN_FRONTEND=noninteractive
    (quietly apt-get update && quietly apt-get install --yes --no-install-recommends "${packages[@]}") && return
  fi
  say "not installed: ${missing[*]} (tests that need them are skipped)"
}
