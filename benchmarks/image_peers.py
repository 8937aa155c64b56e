"""Input, training and studies of nbs/30_benchmarks.ipynb for document images, beside timm.

    python benchmarks/image_peers.py SETTINGS      rounds, as text_peers.py

The peer does what timm's own training script does on one device: in every epoch each file is
decoded, shrunk and varied anew. Both sides make the same batches: float [pages, 3, side, side].
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from text_peers import (  # first: it chooses the mlnotes beside this folder
    SYSTEMS,
    Setting,
    System,
    matrix_product,
    new_model,
    take_rounds,
    train_ours,
    trained,
    wait_for,
)

# isort: split
from mlnotes import documents, engine, tuning
from mlnotes.config import Config, make_config
from mlnotes.images import read_pixels

SYSTEMS["documents"] = System(
    quick=documents.quick,
    task=documents.DocumentsTask,
    by_token=False,
    collator="",
    metrics=None,  # Trainer is no contestant here
    best="macro_f1",
    scores=("acc", "macro_f1"),
)
Batches = Iterable[tuple[Any, Any]]  # images float [pages, 3, side, side] and labels [pages]


# --- timm: from the files ---------------------------------------------------------------------


class Files:
    "What timm calls a reader: (path, label) of each page of a split."

    def __init__(self, rows: documents.DocumentDataset):
        paths = rows.named["paths"]
        self.pages = [
            (str(rows.home / paths[row]), int(label)) for row, label in zip(rows.rows, rows.labels)
        ]

    def __len__(self) -> int:
        return len(self.pages)

    def __getitem__(self, row: int) -> tuple[str, int]:
        return self.pages[row]


def letterboxed(size: int, wants: documents.PageInput):
    "timm's transforms for validation: the longest side is made `size`, with black borders."
    from timm.data import create_transform

    whole = {"crop_mode": "border", "crop_pct": 1.0, "interpolation": "bicubic"}
    transform = create_transform(size, mean=wants.mean, std=wants.std, **whole)
    transform.transforms[1].fill = 0  # timm's is the mean colour
    return transform


def cropped(size: int, wants: documents.PageInput):
    "timm's transforms for training, as light as they can be: a crop that is stretched to a square."
    from timm.data import create_transform

    light = {
        "scale": (0.9, 1.0),
        "ratio": (0.9, 1.1),
        "hflip": 0.0,
        "color_jitter": 0.1,
    }
    every_other = {"color_jitter_prob": 0.5, "interpolation": "bicubic"}
    normal = {"mean": wants.mean, "std": wants.std}
    return create_transform(size, is_training=True, **light, **every_other, **normal)


def lightly_varied(size: int, wants: documents.PageInput):
    "The variations of our augmentation `basic`, by torchvision."
    from torchvision import transforms as T

    transform = letterboxed(size, wants)
    smooth = T.InterpolationMode.BILINEAR
    moved = T.RandomAffine(3, (0.01, 0.01), (0.95, 1.05), interpolation=smooth)
    toned = T.ColorJitter(brightness=0.1, contrast=0.1)
    transform.transforms[2:2] = [
        T.RandomApply([moved], 0.5),
        T.RandomApply([toned], 0.5),
    ]
    return transform


def hard_varied(size: int, wants: documents.PageInput):
    "timm's usual hard recipe: RandAugment and random erasing. Our `advanced` is another one."
    from timm.data.random_erasing import RandomErasing
    from timm.data.auto_augment import rand_augment_transform

    transform = letterboxed(size, wants)
    options = {"translate_const": int(0.45 * size), "img_mean": (0, 0, 0)}
    transform.transforms.insert(2, rand_augment_transform("rand-m9-mstd0.5", options))
    transform.transforms.append(RandomErasing(0.25, mode="const", device="cpu"))
    return transform


TRANSFORMS = {
    "none": letterboxed,
    "basic": lightly_varied,
    "advanced": hard_varied,
    "crop": cropped,
}


def from_files(
    task: Any,
    split: str,
    variation: str,  # of `TRANSFORMS`
    steps: list[np.ndarray] | None = None,  # pages of each batch; None: all in turn
) -> Batches:
    "timm's dataset and loader. Its loader for training drops a short last batch: hence `steps`."
    from timm.data import ImageDataset, create_loader
    from torch.utils.data import DataLoader

    config, size = task.config, task.config.model.img_size
    rows = task.dataset(split)
    shape, batch = (3, size, size), config.hardware.train_batch
    workers = {"num_workers": config.hardware.cpu_workers}
    dataset = ImageDataset(str(rows.home), reader=Files(rows))
    loader = create_loader(dataset, shape, batch, use_prefetcher=False, **workers)
    dataset.transform = TRANSFORMS[variation](size, task.wants)
    if steps is None:
        return loader
    return DataLoader(dataset, batch_sampler=steps, collate_fn=loader.collate_fn, **workers)


# --- input: all pages of the training split, some times -------------------------------------------


def input_batches(
    setting: Setting, side: str, variation: str, passes: int
) -> Callable[[], Batches]:
    "What gives the batches of so many epochs when called; all that a run does once is done."
    varied = {"augmentation": variation} if side == "mlnotes" else {}
    task = setting.task(num_epochs=passes, **varied)
    rows = task.dataset("train")
    if side == "timm":
        loader = from_files(task, "train", variation)
        return lambda: (batch for _ in range(passes) for batch in loader)
    keys = [
        (epoch, [indices]) for epoch, indices in engine.Plan(rows.lengths, task.config).batches()
    ]
    loader = engine._loader(task, rows, keys, "cpu")  # the engine's own, with its worker processes
    return lambda: (as_read(batch) for (batch,) in loader)


def as_read(batch: dict) -> tuple:
    "A batch of ours as the model reads it."
    images = documents.normalised(batch["images"], batch["mean"], batch["std"])
    return images, batch["labels"]


def reading_seconds(task: Any, cache: str | None = None) -> float:
    "What it takes to have the pixels of all pages of the file; `cache`: a folder that has them."
    rows, workers = task.dataset("train"), max(1, task.config.hardware.cpu_workers)
    paths = [rows.home / path for path in rows.named["paths"]]
    with tempfile.TemporaryDirectory() as empty:
        started = time.perf_counter()
        read_pixels(paths, rows.size, cache or empty, workers)
        return time.perf_counter() - started


def read_input(
    setting: Setting,
    side: str,  # timm or mlnotes
    variation: str,  # of `TRANSFORMS`; crop is timm's alone
    passes: int,  # over the training pages
    first: bool = False,  # the cache is not there yet, and building it counts
) -> dict:
    "Seconds of input alone: what a training of so many epochs would be given."
    batches = input_batches(setting, side, variation, passes)
    seconds = reading_seconds(setting.task()) if first else 0.0
    started, images = time.perf_counter(), 0
    for batch, _ in batches():
        images += len(batch)
    seconds += time.perf_counter() - started
    return {"seconds": seconds, "images": images, "per second": images / seconds}


def look_at_input(setting: Setting, side: str, variation: str) -> dict:
    "What is in one pass, to be compared: shapes, range and sum of the values, pages of each label."
    import torch

    images, labels = zip(*input_batches(setting, side, variation, 1)())
    together = torch.cat(images).double()
    return {
        "shape": list(together.shape),
        "kinds": sorted({str(batch.dtype) for batch in images}),
        "range": [float(together.min()), float(together.max())],
        "sum": float(together.abs().sum()),
        "labels": torch.cat(labels).bincount().tolist(),
    }


def read_pages(setting: Setting, cached: bool) -> dict:
    "Seconds to build the cache of a corpus, or to open it as each further run does."
    task = setting.task()
    cache = task.config.data.cache_folder
    return {"seconds": reading_seconds(task, cache if cached else None)}


# --- training: the same first weights, batches, epochs, optimizer and learning rates --------------


def train_timm(setting: Setting, precision: str = "32-true") -> dict:
    "A loop like that of timm's training script, without checks and files, from image files."
    import torch
    from timm.optim import create_optimizer_v2

    task, device = setting.task(precision=precision), setting.device
    learning, rows = task.config.learning, task.dataset("train")
    model, first = new_model(task)
    model.to(device).train()
    decay = {"lr": learning.learning_rate, "weight_decay": learning.weight_decay}
    optimizer = create_optimizer_v2(model, learning.optimizer, **decay)
    loss_of = torch.nn.CrossEntropyLoss(label_smoothing=learning.label_smoothing)
    plan, losses = engine.Plan(rows.lengths, task.config), []
    steps = [indices for _, indices in plan.batches()]
    mixed = torch.autocast(device, torch.bfloat16) if precision == "bf16-mixed" else nullcontext()
    loader = from_files(task, "train", learning.augmentation, steps)
    wait_for(device)
    started = time.perf_counter()
    for step, (images, labels) in enumerate(loader):
        for group in optimizer.param_groups:
            group["lr"] = engine.learning_rate_at(step, len(steps), learning)
        with mixed:
            loss = loss_of(model(images.to(device)).float(), labels.to(device))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), learning.max_grad_norm)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.detach())
    wait_for(device)
    seconds = time.perf_counter() - started
    last = torch.stack(losses[-plan.steps_per_epoch :]).tolist()
    found = trained(task, model, first, seconds, last)
    return with_rate(found | scores_from_files(task, model, device, mixed), task)


def scores_from_files(task: Any, model: Any, device: str, mixed: Any) -> dict:
    "Validation scores of a model that sees pages as timm shrinks them."
    import torch

    model.eval()
    with torch.inference_mode(), mixed:
        loader = from_files(task, "valid", "none")
        logits = torch.cat([model(images.to(device)).float().cpu() for images, _ in loader]).numpy()
    found = documents.score_pages(logits, task.dataset("valid").labels, task.label_names)
    return {name: found[name] for name in SYSTEMS["documents"].scores}


def train_pages(setting: Setting, precision: str = "32-true", first: bool = False) -> dict:
    "The engine; `first`: the corpus is new, and building its cache counts."
    found, task = train_ours(setting, precision), setting.task()
    found["seconds"] += reading_seconds(task) if first else 0.0
    return with_rate(found, task)


def with_rate(found: dict, task: Any) -> dict:
    images = len(task.dataset("train")) * task.config.learning.num_epochs
    return found | {"per second": images / found["seconds"]}


def operations(setting: Setting) -> dict:
    "Multiplications and additions of one run, as torch counts them for one page."
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    task = setting.task()
    rows, side, model = task.dataset("train"), task.config.model.img_size, task.model()
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 3, side, side)).sum().backward()
    pages = len(rows) * task.config.learning.num_epochs
    return {"operations": float(counter.get_total_flops() * pages)}


# --- a study --------------------------------------------------------------------------------------

SPACE = {
    "learning_rate": {"low": 1e-4, "high": 3e-2, "log": True},
    "weight_decay": {"low": 0.0, "high": 0.1},
    "dropout": {"low": 0.0, "high": 0.3},
}


def drawn_beforehand(seed: int) -> tuning.Objective:
    "Trains values that depend on the number of the trial alone: studies get the same trials."
    import optuna

    def objective(config: Config, home: Path, listeners: list) -> float:
        sampler = optuna.samplers.RandomSampler(tuning.trial_seed(seed, int(home.name)))
        spans = tuning.read_space(SPACE, config).spans
        values = optuna.create_study(sampler=sampler).ask({s.name: s.distribution() for s in spans})
        chosen = tuning.by_group(config, values.params)
        train = tuning.training(documents.DocumentsTask)
        return train(make_config(config, chosen), home, listeners)

    return objective


def run_study(
    setting: Setting,
    pruner: str,  # none, median or halving
    trials: int,
    epochs: int,  # of a trial that is not given up, with a check after each
    same: bool = True,  # the same trials whatever came out; False: TPE chooses them by that
    seed: int = 7,
) -> dict:
    "Seconds of a whole study, its best score, and how its trials ended."
    with tempfile.TemporaryDirectory() as home:
        shape = {
            "finetuning": home,
            "num_epochs": epochs,
            "check_rate_on_training": 1.0,
        }
        task = setting.task(**shape)
        objective = drawn_beforehand(seed) if same else None
        options = {
            "name": "benchmark",
            "pruner": pruner,
            "seed": seed,
            "objective": objective,
        }
        started = time.perf_counter()
        tuned = tuning.tune(task, SPACE, trials, **options)
        seconds = time.perf_counter() - started
    states = tuned.trials["state"].tolist()
    return {
        "seconds": seconds,
        "macro_f1": tuned.value,
        "pruned": states.count("pruned"),
        "epochs": int(tuned.trials["checks"].sum()),
        "finished": {
            str(number): value
            for number, (state, value) in enumerate(zip(states, tuned.trials["value"].tolist()))
            if state == "finished"
        },
    }


KINDS: dict[str, Callable] = {
    "input": read_input,
    "look": look_at_input,
    "pages": read_pages,
    "timm": train_timm,
    "ours": train_pages,
    "study": run_study,
    "operations": operations,
    "matrix product": matrix_product,
}

if __name__ == "__main__":
    take_rounds(KINDS)
