#!/usr/bin/env bash
# Everything that a person or CI does here, as one script. `./dev.sh` alone explains itself.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

VENV="${MLNOTES_VENV:-.venv}"
NEEDED_GB=8

usage() {
    cat <<TEXT
usage: ./dev.sh COMMAND [ARGUMENT...]

  quick [ner|sentiment|documents|sewer|dialogue] [-p NAME VALUE...]
                             train on the bundled sample, by papermill; ner, if nothing is named
  lab                        open JupyterLab on the notebooks
  test [NOTEBOOK...]         run the notebooks as tests (at most 25 minutes); no network needed
  slow [NOTEBOOK...]         the same with the cells flagged slow
  gpu [NOTEBOOK...]          the same with the cells flagged gpu; needs a CUDA device
  check [NAME...]            export, clean notebooks, README, links, architecture; without NAME all
  prepare                    export the modules, clean the notebooks and write README.md
  setup                      only make the environment

The first command makes $VENV (Python 3.11 or later, about $NEEDED_GB GB with CUDA builds, a few minutes).
MLNOTES_VENV=FOLDER puts it elsewhere, PYTHON=COMMAND chooses the Python.
TEXT
}

fail() {
    printf 'dev.sh: %s\n' "$@" >&2
    exit 1
}

find_python() {
    local command
    for command in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if "$command" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$command"
            return
        fi
    done
    fail "Python 3.11 or later is needed, and ${PYTHON:-python3} is $("${PYTHON:-python3}" --version 2>&1 || true)." \
        "Install one, or name it: PYTHON=/path/to/python3.11 ./dev.sh ..."
}

free_gb() {
    df -Pk "$(dirname "$VENV")" | awk 'NR == 2 { print int($4 / 1048576) }'
}

stamp() {
    cat settings.ini setup.py pyproject.toml constraints.txt | "$1" -c \
        'import hashlib, sys; print(sys.version_info[:2], hashlib.sha256(sys.stdin.buffer.read()).hexdigest())'
}

make_venv() {
    local python
    python="$(find_python)"
    "$python" -c 'import venv, ensurepip' 2>/dev/null || fail \
        "$python has no venv module. On Debian and Ubuntu: apt-get install python3-venv"
    [ "$(free_gb)" -ge "$NEEDED_GB" ] || fail \
        "the environment takes about $NEEDED_GB GB, and only $(free_gb) GB are free for $VENV." \
        "Free some, or set MLNOTES_VENV to a folder on a larger disk."
    echo "Making $VENV with $("$python" --version) ..."
    "$python" -m venv "$VENV"
}

setup() {
    local wanted
    [ -x "$VENV/bin/pip" ] || make_venv
    wanted="$(stamp "$VENV/bin/python")"
    if [ "$(cat "$VENV/mlnotes.stamp" 2>/dev/null)" != "$wanted" ]; then
        echo "Installing into $VENV; the first time this takes a few minutes ..."
        "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check \
            -c constraints.txt -e '.[dev]' || fail \
            "the installation failed; the lines above say why. Run the same command again to go on."
        echo "$wanted" > "$VENV/mlnotes.stamp"
    fi
    VENV="$(cd "$VENV" && pwd)"
    export VIRTUAL_ENV="$VENV" PATH="$VENV/bin:$PATH"
    # The kernel `python3` of this environment, not one of the same name in the home folder.
    export JUPYTER_PREFER_ENV_PATH=1 PYDEVD_DISABLE_FILE_VALIDATION=1
    unset PYTHONPATH PYTHONHOME
}

# run_tests SECONDS FLAGS [NOTEBOOK...]
run_tests() {
    local seconds="$1" flags="$2"
    shift 2
    [ "$#" -gt 0 ] || set -- nbs
    export OMP_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false HF_HUB_OFFLINE=1 PYTHONUNBUFFERED=1
    local notebook limit=(timeout -k 10)
    [ ! -t 1 ] || limit+=(--foreground) # or else Ctrl-C would not reach the tests
    for notebook in "$@"; do
        "${limit[@]}" "$seconds" nbdev_test --path "$notebook" --flags "$flags" \
            --n_workers 2 --do_print --timing < /dev/null || tests_failed "$?" "$seconds"
    done
}

tests_failed() {
    case "$1" in
        124 | 137) fail "the tests did not finish within $2 seconds and were stopped" ;;
        *) exit "$1" ;;
    esac
}

quick() {
    local system=ner notebook out
    case "${1:-}" in
        [a-z]*) system="$1" && shift ;;
    esac
    notebook="$(ls nbs/*_train_"$system".ipynb 2> /dev/null)" || fail \
        "there is no system $system; there are: $(ls nbs/*_train_*.ipynb | sed 's/.*_train_//; s/.ipynb//' | xargs)"
    out="reports/$(basename "$notebook")"
    mkdir -p reports
    papermill "$notebook" "$out" "$@"
    echo
    echo "The executed notebook, with scores and pictures: $out (to look at it: ./dev.sh lab)"
    echo "The run, with checkpoints, predictions and metrics, lies below reports/$system; the last cell of"
    echo "the notebook names its folder."
}

command="${1:-help}"
[ "$#" -eq 0 ] || shift
case "$command" in
    setup | quick | lab | test | slow | gpu | check | prepare) setup ;;
esac
case "$command" in
    setup) echo "Ready: source $VENV/bin/activate" ;;
    quick) quick "$@" ;;
    lab) exec jupyter lab --notebook-dir=. "$@" ;;
    test) run_tests 1500 "" "$@" ;;
    slow) run_tests 7200 "slow" "$@" ;;
    gpu)
        python -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' || fail \
            "PyTorch sees no CUDA device here, so the cells flagged gpu cannot run."
        run_tests 7200 "gpu" "$@"
        ;;
    check) exec python .ci/checks.py "$@" ;;
    prepare) exec python .ci/checks.py --prepare ;;
    help | -h | --help) usage ;;
    *)
        usage >&2
        fail "unknown command: $command"
        ;;
esac
