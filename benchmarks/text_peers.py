"""Training contestants of nbs/30_benchmarks.ipynb, each run in a process of its own.

    python benchmarks/text_peers.py SETTINGS       SETTINGS is JSON: the fields of `Setting`

Every line on stdin is one round, such as {"kind": "loop", "precision": "bf16-mixed"}; every line on
stdout is what came out. Between rounds the process sleeps, so that contestants can take turns.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any, TextIO

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}
warnings.filterwarnings("ignore")

from mlnotes import ner, sentiment
from mlnotes.config import Config, make_config
from mlnotes.text import global_batches

NEVER = 1e6  # epochs between two checks, steps between two prints: only the last step has them


@dataclass(frozen=True)
class Setting:
    "What all contestants share."

    system: str  # ner or sentiment
    corpus: str  # folder with the training and validation files that the system reads
    prepared: str  # folder with tokens, labels and tokenizer, as the task's `prepare` leaves them
    options: dict  # flat options of the configuration: backbone, epochs, learning rate ...

    @cached_property
    def config(self) -> Config:
        corpus = Path(self.corpus)
        data = {"data_home": str(corpus.parent), "data_name": corpus.name}
        never = {"check_rate_on_training": NEVER, "print_step_on_training": int(NEVER)}
        no_test, quick = {"data": {"test_file": None}}, SYSTEMS[self.system].quick()
        return make_config(quick, data | never | {"verbose": 0}, no_test, self.options)

    def task(self, **changes) -> Any:
        "The task, its data prepared."
        task = SYSTEMS[self.system].task(make_config(self.config, changes))
        task.prepare(Path(self.prepared))
        return task

    @cached_property
    def device(self) -> str:
        from mlnotes.engine import choose_accelerator

        return choose_accelerator(self.config.hardware.accelerator)


# --- training: the same first weights, rows, labels, epochs, batch size and learning rates --------


def new_model(task: Any) -> tuple:
    "The model, with the same weights in every process, and the sum of their sizes to prove it."
    import torch

    torch.manual_seed(task.config.learning.random_seed)
    model = task.model()
    return model, total_size(model)


def total_size(model) -> float:
    return sum(float(weights.detach().double().abs().sum()) for weights in model.parameters())


def wait_for(device: str) -> None:
    import torch

    if device == "cuda":
        torch.cuda.synchronize()


def trained(task: Any, model, first: float, seconds: float, losses: list[float]) -> dict:
    "What a round of training reports, with the mean loss of the last epoch and validation scores."
    from mlnotes import engine

    fabric = engine.make_fabric(task.config)
    model = fabric.to_device(model)
    scores = engine.score(task, model, task.dataset("valid"), fabric, "valid").numbers
    return {
        "seconds": seconds,
        "loss": float(np.mean(losses)),
        **{name: scores[name] for name in SYSTEMS[task.name].scores},
        "labels": int(task.dataset("train").weights.sum()),
        "first_weights": first,
        "last_weights": total_size(model),
    }


def train_loop(
    setting: Setting,
    precision: str = "32-true",  # 32-true or bf16-mixed
    padded_to: int = 0,  # pad every row to this many tokens; 0: to the longest of its batch
    grouped: bool = True,  # rows of like length share a batch; False: they meet by chance
    fused: bool = True,  # AdamW in one kernel
) -> dict:
    "The shortest loop that does the work: no checks, no files, nothing that could be resumed."
    import torch
    from mlnotes.engine import learning_rate_at, make_optimizer

    task, device = setting.task(precision=precision), setting.device
    learning, rows = task.config.learning, task.dataset("train")
    model, first = new_model(task)
    model.to(device).train()
    optimizer = make_optimizer(task, model)
    if not fused:
        optimizer = torch.optim.AdamW(optimizer.param_groups)
    size, seed = task.config.hardware.train_batch, learning.random_seed
    batches = [
        global_batches(rows.lengths, size, seed, epoch, 64 * grouped)
        for epoch in range(learning.num_epochs)
    ]
    steps, losses = [indices for epoch in batches for indices in epoch], []
    mixed = precision == "bf16-mixed"
    wait_for(device)
    started = time.perf_counter()
    for step, indices in enumerate(steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate_at(step, len(steps), learning)
        batch = widened(task.collate(rows, indices, 0), padded_to, device)
        with torch.autocast(device, torch.bfloat16) if mixed else nullcontext():
            loss, _ = task.loss(model, batch)
        loss = loss / float(rows.weights[indices].sum())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), learning.max_grad_norm)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.detach())
    last = torch.stack(losses[-len(batches[-1]) :]).tolist()
    return trained(task, model, first, time.perf_counter() - started, last)


def widened(batch: dict, width: int, device: str) -> dict:
    "The batch on its device, with padding up to `width` tokens."
    from torch.nn.functional import pad

    fills = {"input_ids": 0, "attention_mask": 0, "labels": -100}
    missing = max(0, width - batch["input_ids"].shape[1])
    rows = {
        name: pad(batch[name], (0, missing), value=fill) if batch[name].ndim == 2 else batch[name]
        for name, fill in fills.items()
    }
    return {name: row.to(device) for name, row in rows.items()}


def train_ours(setting: Setting, precision: str = "32-true", whole: bool = False) -> dict:
    "The engine, with all that it keeps; `whole`: a check and a checkpoint every epoch, timed too."
    from mlnotes import engine
    from mlnotes.runs import Run

    checks = {"check_rate_on_training": 1.0} if whole else {}
    task = setting.task(precision=precision, **checks)
    first, clock = new_model(task)[1], Clock()
    with tempfile.TemporaryDirectory() as home:
        run = Run.create(home, task.name, "benchmark")
        (run.path / "data").symlink_to(setting.prepared, target_is_directory=True)
        engine.fit(task, run, [clock])
        rows = [row for row in run.rows() if "loss" in row]
        tensors, _ = engine.read_checkpoint(engine.kept_checkpoints(run, task.config).best())
        (run.path / "data").unlink()
    model = task.model()
    model.load_state_dict(tensors["model.safetensors"])
    last = [row["loss"] for row in rows if row["epoch"] > task.config.learning.num_epochs - 1]
    found = trained(task, model, first, clock.seconds["end" if whole else "step"], last)
    return found | {"curve": [row["loss"] for row in rows]}


class Clock:
    "A listener that keeps the seconds from the start of training to the last event of each kind."

    def __init__(self):
        self.seconds: dict[str, float] = {}

    def on_event(self, event: dict) -> None:
        now = time.perf_counter()
        if event["kind"] == "start":
            self.started = now
        else:
            self.seconds[event["kind"]] = now - self.started


# --- Hugging Face Trainer -------------------------------------------------------------------------


class Rows:
    "Rows as Trainer wants them: one dictionary of lists each, made beforehand."

    def __init__(self, dataset: Any, by_token: bool):  # by_token: a label for every token
        bounds = np.asarray(dataset.store.offsets)[1:-1]
        tokens = [row.tolist() for row in np.split(np.asarray(dataset.store.input_ids), bounds)]
        labels = np.asarray(dataset.labels)
        labels = [row.tolist() for row in (np.split(labels, bounds) if by_token else labels)]
        self.rows = [
            {"input_ids": row, "attention_mask": [1] * len(row), "labels": label}
            for row, label in zip(tokens, labels, strict=True)
        ]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict:
        return self.rows[index]


def trainer_arguments(
    setting: Setting, folder: str, precision: str, grouped: bool, whole: bool, num_rows: int
):
    "TrainingArguments that ask for the same experiment; all else is Trainer's default."
    from transformers import TrainingArguments

    learning, hardware = setting.config.learning, setting.config.hardware
    steps = -(-num_rows // hardware.train_batch) * learning.num_epochs
    when = "epoch" if whole else "no"
    score = SYSTEMS[setting.system].best
    best = {"load_best_model_at_end": True, "metric_for_best_model": score} if whole else {}
    group = {"train_sampling_strategy": "group_by_length"} if grouped else {}
    return TrainingArguments(
        output_dir=folder,
        per_device_train_batch_size=hardware.train_batch,
        per_device_eval_batch_size=hardware.infer_batch,
        num_train_epochs=learning.num_epochs,
        learning_rate=learning.learning_rate,
        warmup_steps=round(learning.warmup_rate * steps),
        weight_decay=learning.weight_decay,
        max_grad_norm=learning.max_grad_norm,
        seed=learning.random_seed,
        bf16=precision == "bf16-mixed",
        use_cpu=setting.device == "cpu",
        logging_strategy="epoch",
        eval_strategy=when,
        save_strategy=when,
        save_total_limit=1 if whole else None,
        report_to="none",
        disable_tqdm=True,
        **best,
        **group,
    )


def train_hf(
    setting: Setting, precision: str = "32-true", grouped: bool = False, whole: bool = False
) -> dict:
    "Trainer; timed from its on_train_begin to its on_train_end, so without its own preparations."
    import transformers

    task, system = setting.task(precision=precision), SYSTEMS[setting.system]
    rows = Rows(task.dataset("train"), system.by_token)
    model, first = new_model(task)
    with tempfile.TemporaryDirectory() as folder:
        trainer = transformers.Trainer(
            model,
            trainer_arguments(setting, folder, precision, grouped, whole, len(rows)),
            data_collator=getattr(transformers, system.collator)(task.tokenizer),
            train_dataset=rows,
            eval_dataset=Rows(task.dataset("valid"), system.by_token) if whole else None,
            compute_metrics=system.metrics(task) if whole else None,
            preprocess_logits_for_metrics=best_classes if whole else None,
        )
        clock = trainer_clock(setting.device)
        trainer.add_callback(clock)
        trainer.train()
    losses = [row["loss"] for row in trainer.state.log_history if "loss" in row]
    return trained(task, trainer.model, first, clock.seconds, losses[-1:])


def trainer_clock(device: str):
    from transformers import TrainerCallback

    class Seconds(TrainerCallback):
        def on_train_begin(self, *_, **__):
            self.started = time.perf_counter()

        def on_train_end(self, *_, **__):
            wait_for(device)
            self.seconds = time.perf_counter() - self.started

    return Seconds()


def best_classes(logits, labels):
    return logits.argmax(-1)


def seqeval_scores(task: Any) -> Callable:
    "The metric of the Hugging Face example for token classification: seqeval over tokens."

    def compute(answers) -> dict[str, float]:
        from seqeval.metrics import f1_score

        names, sides = task.tag_names, [[], []]
        for side, matrix in zip(sides, (answers.label_ids, answers.predictions)):
            for tags, gold in zip(matrix, answers.label_ids):
                side.append([names[tag] for tag, label in zip(tags, gold) if label != -100])
        return {"F1e": float(f1_score(*sides))}

    return compute


def accuracy(task: Any) -> Callable:
    "The metric of the Hugging Face example for text classification."
    return lambda answers: {"acc": float(np.mean(answers.predictions == answers.label_ids))}


@dataclass(frozen=True)
class System:
    "A system, what Trainer needs to know of it, and how its contestants are scored."

    quick: Callable[[], Config]  # its smallest preset
    task: type
    by_token: bool  # labels are of tokens, else of rows
    collator: str  # of transformers
    metrics: Callable  # from a task to what Trainer computes after every epoch
    best: str  # the metric by which it keeps a checkpoint
    scores: tuple[str, ...]  # metrics of the task by which all contestants are shown


SYSTEMS = {
    "ner": System(
        quick=ner.quick,
        task=ner.NerTask,
        by_token=True,
        collator="DataCollatorForTokenClassification",
        metrics=seqeval_scores,
        best="F1e",
        scores=("F1c", "F1e"),
    ),
    "sentiment": System(
        quick=sentiment.quick,
        task=sentiment.SentimentTask,
        by_token=False,
        collator="DataCollatorWithPadding",
        metrics=accuracy,
        best="acc",
        scores=("acc", "macro_f1"),
    ),
}


# --- what a device can do at most -----------------------------------------------------------------


def matrix_product(setting: Setting, precision: str = "32-true", size: int = 2048) -> dict:
    "Operations per second of a large matrix product, which no training can exceed."
    import torch

    kind = torch.bfloat16 if precision == "bf16-mixed" else torch.float32
    matrix = torch.randn(size, size, device=setting.device).to(kind)
    taken = []
    for _ in range(10):
        wait_for(setting.device)
        started = time.perf_counter()
        matrix @ matrix
        wait_for(setting.device)
        taken.append(time.perf_counter() - started)
    return {"seconds": median(taken), "per_second": 2 * size**3 / median(taken)}


def operations(setting: Setting) -> dict:
    "Multiplications and additions of one run, padding left out: forward, and twice that backward."
    task = setting.task()
    shape = task.model().config
    lengths = task.dataset("train").lengths.astype(np.float64)
    width, depth = shape.hidden_size, shape.num_hidden_layers
    matrices = depth * (4 * width**2 + 2 * width * shape.intermediate_size)
    per_row = 2 * matrices * lengths + 4 * depth * width * lengths**2
    return {"operations": 3 * float(per_row.sum()) * task.config.learning.num_epochs}


# --- one line in, one line out --------------------------------------------------------------------

KINDS = {
    "loop": train_loop,
    "ours": train_ours,
    "trainer": train_hf,
    "matrix product": matrix_product,
    "operations": operations,
}


def own_stdout() -> TextIO:
    "Stdout for answers only; whatever else is printed from now on goes to stderr."
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return answers


def take_rounds(kinds: dict[str, Callable]) -> None:
    "Answer every line on stdin with one on stdout."
    answers, setting = own_stdout(), Setting(**json.loads(sys.argv[1]))
    for line in sys.stdin:
        contestant = json.loads(line)
        result = kinds[contestant.pop("kind")](setting, **contestant)
        answers.write(json.dumps(result) + "\n")
        gc.collect()


if __name__ == "__main__":
    take_rounds(KINDS)
