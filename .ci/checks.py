"""Checks around the notebooks, and the making of what follows from them.

./dev.sh check                  all checks that need no training
./dev.sh check links readme     some of them
./dev.sh check --ci ...         all, after the tests; ends with the line that counts
./dev.sh prepare                export the modules, clean the notebooks, write README.md
"""

import argparse
import atexit
import difflib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import nbformat

ROOT = Path(__file__).resolve().parent.parent
LARGEST_FILE = 512 * 1024  # bytes; runs and corpora do not belong into the repository
README_NOTE = "<!-- Made from nbs/index.ipynb by `./dev.sh prepare`: edit that. -->\n\n"
CHECKS = {}


def check(function):
    "Register a check under its name; it raises AssertionError with what is wrong."
    CHECKS[function.__name__] = function
    return function


def tool(name: str, *arguments: str, folder: Path = ROOT, seconds: int = 900, **environment: str):
    "Run a program of this environment in `folder`; its result, output and errors in `.stdout`."
    unset = {"IN_TEST", "PYTHONPATH"}
    inherited = {key: value for key, value in os.environ.items() if key not in unset}
    program = Path(sys.executable).parent / name
    return subprocess.run(
        [program if program.exists() else name, *arguments],
        cwd=folder, env={**inherited, **environment}, timeout=seconds, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
    )  # fmt: skip


def done(result: subprocess.CompletedProcess) -> str:
    "The output of a program that had to succeed."
    tail = result.stdout[-4000:]
    assert result.returncode == 0, f"{result.args} ended with {result.returncode}:\n{tail}"
    return result.stdout


@cache
def project_files() -> list[Path]:
    "Files that are, or would be, committed."
    listed = done(tool("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"))
    paths = sorted({ROOT / name for name in listed.split("\0") if name})
    return [path for path in paths if path.is_file()]


def notebooks(folder: Path = ROOT) -> list[Path]:
    return sorted((folder / "nbs").glob("*.ipynb"))


def unexecuted(path: Path) -> bool:
    "Training and demo notebooks are committed without outputs."
    return "_train_" in path.name or "_demo" in path.name


# --- what follows from the notebooks --------------------------------------------------------------


def strip_outputs(folder: Path) -> None:
    "Remove outputs where none are kept, and widget state everywhere, which nbdev would keep."
    for path in notebooks(folder):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        before = json.dumps(notebook)
        notebook["metadata"].pop("widgets", None)
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code" and unexecuted(path):
                cell["outputs"], cell["execution_count"] = [], None
        if json.dumps(notebook) != before:
            text = json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True)
            path.write_text(text + "\n", encoding="utf-8")


def readme(folder: Path) -> str:
    "nbs/index.ipynb as Markdown, by nbdev's own processing; links become relative to the root."
    program = (
        "import sys; from pathlib import Path; from nbdev.serve_drv import exec_nb;"
        "from nbdev.processors import FilterDefaults; from nbconvert import MarkdownExporter;"
        "exec_nb(Path('nbs/index.ipynb'), Path(sys.argv[1]), FilterDefaults);"
        "text = MarkdownExporter().from_filename(sys.argv[1])[0];"
        "Path(sys.argv[2]).write_text(text, encoding='utf-8')"
    )
    with tempfile.TemporaryDirectory() as scratch:
        made, text = f"{scratch}/index.ipynb", Path(scratch, "README.md")
        done(tool("python", "-c", program, made, str(text), folder=folder))
        body = text.read_text(encoding="utf-8")

    def from_root(match: re.Match) -> str:
        target = match[2]
        if not re.match(r"[a-z]+:|#|/", target):
            target = os.path.normpath(f"nbs/{target}")
        return f"{match[1]}({target})"

    # nbdev turns the cell with the title into front matter, which a README has no use for.
    title = nbformat.read(folder / "nbs/index.ipynb", as_version=4).cells[0].source
    body = re.sub(r"\A\s*---\n.*?\n---\n|<!-- WARNING: .*? -->", "", body, flags=re.S)
    body = re.sub(r"(\]\s*)\(([^)\s]+)\)", from_root, body)
    body = re.sub(r"\n{3,}", "\n\n", body).strip()
    return f"{README_NOTE}{title}\n\n{body}\n"


def prepare(folder: Path) -> None:
    "Make all that follows from the notebooks: modules (no stale ones), clean notebooks, README.md."
    for path in (folder / "mlnotes").glob("*.py"):
        path.unlink()
    done(tool("nbdev_export", folder=folder))
    strip_outputs(folder)
    done(tool("nbdev_clean", folder=folder))
    (folder / "README.md").write_text(readme(folder), encoding="utf-8")


@cache
def prepared() -> Path:
    "A copy of the project on which `prepare` was run; the working tree stays as it is."
    copy = Path(tempfile.mkdtemp(prefix="mlnotes-prepared-"))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    for path in project_files():
        target = copy / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    prepare(copy)
    return copy


def differences(*patterns: str) -> str:
    "A unified diff from the working tree to the prepared copy."
    found = {
        path.relative_to(folder)
        for folder in (ROOT, prepared()) for pattern in patterns for path in folder.glob(pattern)
    }  # fmt: skip
    diff = []
    for name in sorted(found):
        old, new = (
            path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
            for path in (ROOT / name, prepared() / name)
        )
        diff += difflib.unified_diff(old, new, f"committed/{name}", f"made/{name}", n=1)
    return "".join(diff[:60])


@check
def export():
    "The modules are those of the notebooks, and none is left over from a renamed one."
    found = differences("mlnotes/*.py", "pyproject.toml")
    assert not found, f"run ./dev.sh prepare: the modules differ from the notebooks\n{found}"


@check
def clean():
    "Notebooks are valid and clean; training and demo notebooks have no outputs, none has pictures."
    wrong = []
    for path in notebooks():
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        tagged = [cell for cell in cells if "parameters" in cell.metadata.get("tags", [])]
        if "_train_" in path.name and len(tagged) != 1:
            wrong.append(f"{path.name}: {len(tagged)} cells have the tag parameters, not 1")
        if "widgets" in notebook.metadata:
            wrong.append(f"{path.name}: widget state is saved in it")
        outputs = [output for cell in cells for output in cell.outputs]
        kinds = {kind for output in outputs for kind in output.get("data", {})}
        kinds = {kind for kind in kinds if "widget" in kind or kind.startswith("image/")}
        if kinds:
            wrong.append(f"{path.name}: has outputs of the kind {', '.join(sorted(kinds))}")
        if unexecuted(path) and (outputs or any(cell.execution_count for cell in cells)):
            wrong.append(f"{path.name}: is kept without outputs, and has some")
    assert not wrong, "\n".join(wrong)
    found = differences("nbs/*.ipynb")
    assert not found, f"run ./dev.sh prepare: these notebooks are not clean\n{found}"


@check
def readme_in_sync():
    "README.md is what nbs/index.ipynb says."
    found = differences("README.md")
    assert not found, f"run ./dev.sh prepare: README.md differs from nbs/index.ipynb\n{found}"


# --- the tree -------------------------------------------------------------------------------------


def prose(path: Path) -> str:
    "The Markdown of a file or a notebook, without code."
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = nbformat.reads(text, as_version=4).cells
        text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    text = re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.M | re.S)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors(path: Path) -> set[str]:
    "The anchors that GitHub gives to the headings of a Markdown file."
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    headings = re.findall(r"^#+\s+(.*?)\s*$", text, flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@check
def links():
    "Relative links lead to a file of the project, and to a heading that it has."
    files, wrong = set(project_files()), []
    folders = {parent for path in files for parent in path.parents}
    for path in sorted(files):
        if path.suffix not in (".md", ".ipynb"):
            continue
        for target in re.findall(r"\]\(\s*<?([^)\s>]+)", prose(path)):
            name, _, anchor = target.partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            goal = Path(os.path.normpath(path.parent / unquote(name))) if name else path
            if goal not in files and goal not in folders:
                wrong.append(f"{path.relative_to(ROOT)}: no file {target}")
            elif anchor and goal.suffix == ".md" and unquote(anchor) not in anchors(goal):
                wrong.append(f"{path.relative_to(ROOT)}: no heading {target}")
    assert not wrong, "\n".join(wrong)


@check
def names():
    "No file names the host of a package registry, or a folder of the machine it was written on."
    hosts = [("py" + "pi", "org"), ("python" + "hosted", "org"), ("npm" + "js", "org"),
             ("npm" + "js", "com"), ("download." + "py" + "torch", "org"), ("crates", "io"),
             ("conda." + "ana" + "conda", "org"), ("deb." + "debian", "org")]  # fmt: skip
    patterns = [re.escape(f"{name}.{domain}") for name, domain in hosts]
    patterns += [rf"{re.escape(str(folder))}(?![\w-])" for folder in {ROOT, Path.home()}]
    found, wrong = re.compile("|".join(patterns), re.I), []
    for path in project_files():
        for number, line in enumerate(path.read_bytes().decode("utf-8", "replace").splitlines(), 1):
            if match := found.search(line):
                wrong.append(f"{path.relative_to(ROOT)}:{number}: {match[0]}")
    assert not wrong, "\n".join(wrong)


@check
def sizes():
    "No file is large."
    large = [path for path in project_files() if path.stat().st_size > LARGEST_FILE]
    assert not large, f"larger than {LARGEST_FILE} bytes: {', '.join(map(str, large))}"


# --- the package ----------------------------------------------------------------------------------


@check
def architecture():
    "nbs/90_architecture.ipynb: who imports whom."
    done(tool("nbdev_test", "--path", "nbs/90_architecture.ipynb", "--n_workers", "0"))


@check
def requirements():
    "What is installed fits together, and fits what the project asks for."
    done(tool("python", "-m", "pip", "check"))


@check
def import_time():
    "`import mlnotes` takes less than 0.3 s, and all modules but those of networks less than 1 s."
    networks = {"hybrid"}  # made of PyTorch's classes, and imported where they are used
    modules = sorted({path.stem for path in (ROOT / "mlnotes").glob("[!_]*.py")} - networks)
    program = "from time import perf_counter as now; start = now(); import {}; print(now() - start)"
    limits = {"mlnotes": 0.3, ", ".join(f"mlnotes.{name}" for name in modules): 1.0}
    for names, limit in limits.items():
        best = min(float(done(tool("python", "-c", program.format(names)))) for _ in range(5))
        assert best < limit, f"import {names} takes {best:.2f} s, more than {limit} s"


# --- training, as a user starts it ----------------------------------------------------------------


def papermill(scratch: str, *parameters: str) -> subprocess.CompletedProcess:
    "Run the training notebook of the entity recogniser; the run is written below `scratch`."
    notebook = ("nbs/10_train_ner.ipynb", f"{scratch}/out.ipynb")
    home = ("-p", "finetuning", f"{scratch}/reports")
    return tool("papermill", *notebook, *home, *parameters, HF_HUB_OFFLINE="1")


@check
def two_devices():
    "`-p devices 2` trains one run on two processes and exits with 0."
    with tempfile.TemporaryDirectory() as scratch:
        done(papermill(scratch, "-p", "devices", "2"))
        home = Path(scratch, "reports")
        states = [path.read_text() for path in home.rglob("status.json")]
        assert len(states) == 1 and '"finished"' in states[0], f"not one finished run: {states}"
        events = "".join(path.read_text() for path in home.rglob("events.jsonl"))
        assert re.search(r'"devices": ?2\b', events), f"not on two devices:\n{events[:2000]}"


@check
def mistyped_parameter():
    "`-p device 2` is refused with the right name, before anything is trained."
    with tempfile.TemporaryDirectory() as scratch:
        result = papermill(scratch, "-p", "device", "2")
        assert result.returncode != 0, "papermill -p device 2 exited with 0"
        assert "devices" in result.stdout, f"the error does not name devices:\n{result.stdout}"
        left = [path for path in Path(scratch, "reports").rglob("*") if path.is_file()]
        assert not left, f"something was written: {left}"


TRAINING = ("two_devices", "mistyped_parameter")


# --- running them ---------------------------------------------------------------------------------


def run_check(name: str) -> str:
    "Run one check and print its time; passed or failed."
    start, message = time.perf_counter(), ""
    try:
        CHECKS[name]()
    except AssertionError as error:
        message = str(error)
    except Exception as error:  # a check that breaks has failed, and the others still run
        message = f"{type(error).__name__}: {error}"
    outcome = "failed" if message else "passed"
    print(f"{outcome}{time.perf_counter() - start:7.1f} s  {name}: {CHECKS[name].__doc__}")
    if message:
        print("    " + message.strip().replace("\n", "\n    "))
    sys.stdout.flush()
    return outcome


def tested(log: str, status: int) -> tuple[int, int]:
    "Notebooks that passed and failed, from what nbdev_test printed and how it ended."
    total = len([path for path in notebooks() if not path.name.startswith(("_", "."))])
    if status == 0:
        return total, 0
    _, _, tail = log.rpartition("nbdev Tests Failed On The Following Notebooks:")
    failed = set(re.findall(r"^\t(\S.*\.ipynb)$", tail, flags=re.M))
    if failed:
        return total - len(failed), len(failed)
    completed = len(set(re.findall(r"Completed (.+?\.ipynb)", log)))
    return min(completed, total - 1), total - min(completed, total - 1)


def count_left_out() -> int:
    "Cells that only `./dev.sh slow` or `./dev.sh gpu` runs."
    cells = [cell for path in notebooks() for cell in nbformat.read(path, as_version=4).cells]
    sources = [cell.source for cell in cells if cell.cell_type == "code"]
    return sum(bool(re.match(r"#\|\s*(slow|gpu)\b", source)) for source in sources)


def main() -> int:
    "Run the checks asked for; 0 when all passed."
    parser = argparse.ArgumentParser(prog="./dev.sh check")
    parser.add_argument("names", nargs="*", help=f"checks to run: {', '.join(CHECKS)}")
    parser.add_argument("--ci", action="store_true", help="all but those that the tests have run")
    parser.add_argument("--tests", type=Path, help="what nbdev_test printed")
    parser.add_argument("--status", type=int, default=0, help="how nbdev_test ended")
    parser.add_argument("--prepare", action="store_true", help="make instead of check")
    options = parser.parse_args()
    if unknown := set(options.names) - set(CHECKS):
        parser.error(f"no check is called {', '.join(unknown)}; there are {', '.join(CHECKS)}")
    if options.prepare:
        prepare(ROOT)
        return 0
    left_out = ("architecture",) if options.ci else TRAINING
    outcomes = [run_check(n) for n in options.names or [n for n in CHECKS if n not in left_out]]
    passed, failed = outcomes.count("passed"), outcomes.count("failed")
    if options.tests:
        good, bad = tested(options.tests.read_text(errors="replace"), options.status)
        print(f"notebooks: {good} passed, {bad} failed (nbdev_test ended with {options.status})")
        passed, failed = passed + good, failed + bad
    print(f"{passed} passed, {failed} failed, {count_left_out()} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
