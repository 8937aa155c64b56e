"""Input, training, studies and networks of nbs/30_benchmarks.ipynb that see images.

    python benchmarks/image_peers.py SETTINGS      rounds, as text_peers.py

The peer reads files: in every epoch each is decoded, shrunk and varied anew, as timm's own training
script does for documents, and as the original does for sewers, with PyTorch and torchvision alone.
Both sides make the same batches: float [images, 3, side, side].
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

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
from mlnotes import documents, engine, images, sewer, tuning
from mlnotes.config import Config, make_config
from mlnotes.export import measure_latency, peak_tensor_mib
from mlnotes.image_sets import ImageDataset, normalised
from mlnotes.images import read_pixels

for module, task in ((documents, documents.DocumentsTask), (sewer, sewer.SewerTask)):
    SYSTEMS[task.name] = System(quick=module.quick, task=task, scores=("acc", "macro_f1"))
Batches = Iterable[tuple[Any, Any]]  # images float [images, 3, side, side] and labels [images]


class Scale(NamedTuple):
    "With what images become numbers."

    mean: tuple[float, ...]  # of each channel, from 0 to 1
    std: tuple[float, ...]


# --- from the files: what both peers read -----------------------------------------------------


class Files:
    "What timm calls a reader: (path, label) of each image of a split."

    def __init__(self, rows: ImageDataset):
        paths = rows.named["paths"]
        self.pages = [
            (str(rows.home / paths[row]), int(label)) for row, label in zip(rows.rows, rows.labels)
        ]

    def __len__(self) -> int:
        return len(self.pages)

    def __getitem__(self, row: int) -> tuple[str, int]:
        return self.pages[row]


class Pictures:
    "A dataset of PyTorch as everybody writes it first."

    def __init__(self, files: Files, transform: Callable):
        self.files, self.transform = files, transform

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, row: int) -> tuple[Any, int]:
        from PIL import Image

        path, label = self.files[row]
        return self.transform(Image.open(path).convert("RGB")), label


# --- timm -----------------------------------------------------------------------------------------


def letterboxed(size: int, scale: Scale):
    "timm's transforms for validation: the longest side is made `size`, with black borders."
    from timm.data import create_transform

    whole = {"crop_mode": "border", "crop_pct": 1.0, "interpolation": "bicubic"}
    transform = create_transform(size, mean=scale.mean, std=scale.std, **whole)
    transform.transforms[1].fill = 0  # timm's is the mean colour
    return transform


def cropped(size: int, scale: Scale):
    "timm's transforms for training, as light as they can be: a crop that is stretched to a square."
    from timm.data import create_transform

    light = {
        "scale": (0.9, 1.0),
        "ratio": (0.9, 1.1),
        "hflip": 0.0,
        "color_jitter": 0.1,
    }
    every_other = {"color_jitter_prob": 0.5, "interpolation": "bicubic"}
    normal = {"mean": scale.mean, "std": scale.std}
    return create_transform(size, is_training=True, **light, **every_other, **normal)


def lightly_varied(size: int, scale: Scale):
    "The variations of our augmentation `basic`, by torchvision."
    from torchvision import transforms as T

    transform = letterboxed(size, scale)
    smooth = T.InterpolationMode.BILINEAR
    moved = T.RandomAffine(3, (0.01, 0.01), (0.95, 1.05), interpolation=smooth)
    toned = T.ColorJitter(brightness=0.1, contrast=0.1)
    transform.transforms[2:2] = [
        T.RandomApply([moved], 0.5),
        T.RandomApply([toned], 0.5),
    ]
    return transform


def hard_varied(size: int, scale: Scale):
    "timm's usual hard recipe: RandAugment and random erasing. Our `advanced` is another one."
    from timm.data.random_erasing import RandomErasing
    from timm.data.auto_augment import rand_augment_transform

    transform = letterboxed(size, scale)
    options = {"translate_const": int(0.45 * size), "img_mean": (0, 0, 0)}
    transform.transforms.insert(2, rand_augment_transform("rand-m9-mstd0.5", options))
    transform.transforms.append(RandomErasing(0.25, mode="const", device="cpu"))
    return transform


def timm_loader(rows: ImageDataset, transform: Callable, size: int, **options):
    "timm's dataset and loader."
    from timm.data import ImageDataset as Dataset
    from timm.data import create_loader

    dataset = Dataset(str(rows.home), reader=Files(rows))
    loader = create_loader(dataset, (3, size, size), use_prefetcher=False, **options)
    dataset.transform = transform
    return loader


def timm_optimizer(task: Any, model: Any):
    from timm.optim import create_optimizer_v2

    learning = task.config.learning
    decay = {"lr": learning.learning_rate, "weight_decay": learning.weight_decay}
    return create_optimizer_v2(model, learning.optimizer, **decay)


# --- the original's loop for sewers: PyTorch and torchvision --------------------------------------


def stretched(size: int, scale: Scale, *variations: Callable):
    "The original's transforms for validation; for training with variations in between."
    from torchvision import transforms as T

    normal = (T.ToTensor(), T.Normalize(scale.mean, scale.std))
    return T.Compose([T.Resize((size, size)), *variations, *normal])


def mirrored(size: int, scale: Scale, *variations: Callable):
    "The original's transforms of colour images. Our variation `light` does as much."
    from torchvision import transforms as T

    lamps = T.ColorJitter(brightness=0.1, contrast=0.1, saturation=0.1, hue=0.1)
    return stretched(size, scale, *variations, T.RandomHorizontalFlip(), lamps)


def moved(size: int, scale: Scale):
    "Those, and what the original does to grey images: moves. Our variation `full` does as much."
    from torchvision import transforms as T

    turned = T.RandomAffine(10, (0.05, 0.05), (0.95, 1.05))
    cut = T.RandomResizedCrop(size, (0.8, 1.0), (0.9, 1.1))
    return mirrored(size, scale, turned, cut)


def plain_loader(rows: ImageDataset, transform: Callable, size: int, **options):
    "PyTorch's loader; its processes live on from epoch to epoch."
    from torch.utils.data import DataLoader

    alive = {"persistent_workers": options["num_workers"] > 0}
    return DataLoader(Pictures(Files(rows), transform), **options, **alive)


def plain_optimizer(task: Any, model: Any):
    "PyTorch's AdamW as it comes, with decay for the weights that the engine decays."
    import torch

    groups = engine.make_optimizer(task, model).param_groups
    plain = [{name: group[name] for name in ("params", "lr", "weight_decay")} for group in groups]
    return torch.optim.AdamW(plain)


# --- who is the peer of which system --------------------------------------------------------------


@dataclass(frozen=True)
class Peer:
    "How a loop from image files is written for a system."

    scale: Callable[[Any], Scale]  # from a task
    transforms: dict[str, Callable]  # variation: from a size and a scale to what is done to a file
    loader: Callable  # batches in turn, of a dataset and a transform
    optimizer: Callable  # of a task and a model
    pinned: bool  # whether batches for a GPU wait in memory that is not swapped


PEERS = {
    "documents": Peer(
        scale=lambda task: task.wants,
        transforms={
            "none": letterboxed,
            "basic": lightly_varied,
            "advanced": hard_varied,
            "crop": cropped,
        },
        loader=timm_loader,
        optimizer=timm_optimizer,
        pinned=False,
    ),
    "sewer": Peer(
        scale=lambda task: Scale(*sewer.pixel_scale(task.config.model)),
        transforms={"none": stretched, "light": mirrored, "full": moved},
        loader=plain_loader,
        optimizer=plain_optimizer,
        pinned=True,
    ),
}


def from_files(
    task: Any,
    split: str,
    variation: str,  # of the peer's transforms
    steps: list[np.ndarray] | None = None,  # images of each batch; None: all in turn
    device: str = "cpu",
) -> Batches:
    "The peer's loader. timm's for training drops a short last batch: hence `steps`."
    from torch.utils.data import DataLoader

    peer, config, rows = PEERS[task.name], task.config, task.dataset(split)
    size, shared = config.model.img_size, {"num_workers": config.hardware.cpu_workers}
    shared |= {"pin_memory": peer.pinned and device == "cuda"}
    transform = peer.transforms[variation](size, peer.scale(task))
    loader = peer.loader(rows, transform, size, batch_size=config.hardware.train_batch, **shared)
    if steps is None:
        return loader
    return DataLoader(loader.dataset, batch_sampler=steps, collate_fn=loader.collate_fn, **shared)


# --- input: all images of the training split, some times ------------------------------------------


def input_batches(
    setting: Setting, side: str, variation: str, passes: int
) -> Callable[[], Batches]:
    "What gives the batches of so many epochs when called; all that a run does once is done."
    varied = {"augmentation": variation} if side == "mlnotes" else {}
    task = setting.task(num_epochs=passes, **varied)
    rows = task.dataset("train")
    if side == "files":
        loader = from_files(task, "train", variation)
        return lambda: (batch for _ in range(passes) for batch in loader)
    keys = [
        (epoch, [indices]) for epoch, indices in engine.Plan(rows.lengths, task.config).batches()
    ]
    loader = engine._loader(task, rows, keys, "cpu")  # the engine's own, with its worker processes
    return lambda: (as_read(batch) for (batch,) in loader)


def as_read(batch: dict) -> tuple:
    "A batch of ours as the model reads it."
    return normalised(batch["images"], batch["mean"], batch["std"]), batch["labels"]


def reading_seconds(task: Any, cache: str | None = None) -> float:
    "What it takes to have the pixels of all images of the file; `cache`: a folder that has them."
    rows, workers = task.dataset("train"), max(1, task.config.hardware.cpu_workers)
    paths = [rows.home / path for path in rows.named["paths"]]
    with tempfile.TemporaryDirectory() as empty:
        started = time.perf_counter()
        read_pixels(paths, rows.size, cache or empty, workers, rows.resize)
        return time.perf_counter() - started


def read_input(
    setting: Setting,
    side: str,  # files or mlnotes
    variation: str,  # of the peer's transforms; crop is timm's alone
    passes: int,  # over the training images
    first: bool = False,  # the cache is not there yet, and building it counts
) -> dict:
    "Seconds of input alone: what a training of so many epochs would be given."
    batches = input_batches(setting, side, variation, passes)
    seconds = reading_seconds(setting.task()) if first else 0.0
    started, count = time.perf_counter(), 0
    for batch, _ in batches():
        count += len(batch)
    seconds += time.perf_counter() - started
    return {"seconds": seconds, "images": count, "per second": count / seconds}


def look_at_input(setting: Setting, side: str, variation: str) -> dict:
    "What is in one pass, to be compared: shapes, range and sum of the values, images of each label."
    import torch

    seen, labels = zip(*input_batches(setting, side, variation, 1)())
    together = torch.cat(seen).double()
    return {
        "shape": list(together.shape),
        "kinds": sorted({str(batch.dtype) for batch in seen}),
        "range": [float(together.min()), float(together.max())],
        "sum": float(together.abs().sum()),
        "labels": torch.cat(labels).bincount().tolist(),
    }


def read_pages(setting: Setting, cached: bool) -> dict:
    "Seconds to build the cache of a corpus, or to open it as each further run does."
    task = setting.task()
    cache = task.config.data.cache_folder
    return {"seconds": reading_seconds(task, cache if cached else None)}


def prepare_folds(setting: Setting, folds: int, once: bool) -> dict:
    "Seconds to prepare all folds of a new corpus; `once`: they share a cache, as folds of ours do."
    decoded, validated, shrink = [], 0, images.shrink
    images.shrink = lambda *given: decoded.append(given[1]) or shrink(*given)
    try:
        with tempfile.TemporaryDirectory() as home:
            started = time.perf_counter()
            for fold in range(folds):
                cache = f"{home}/cache" if once else f"{home}/cache-{fold}"
                chosen = {"folds": folds, "valid_fold": fold, "cache_folder": cache}
                task = SYSTEMS[setting.system].task(make_config(setting.config, chosen))
                task.prepare(Path(home) / str(fold))
                validated += len(task.dataset("valid"))
            seconds = time.perf_counter() - started
            count = len(task.dataset("train")) + len(task.dataset("valid"))
    finally:
        images.shrink = shrink
    return {"seconds": seconds, "decoded": len(decoded), "images": count, "validated": validated}


# --- training: the same first weights, batches, epochs, optimizer and learning rates --------------


def train_files(setting: Setting, precision: str = "32-true") -> dict:
    "The peer's loop over image files, without checks, printing and checkpoints."
    import torch

    task, device = setting.task(precision=precision), setting.device
    learning, rows = task.config.learning, task.dataset("train")
    model, first = new_model(task)
    model.to(device).train()
    optimizer = PEERS[task.name].optimizer(task, model)
    loss_of = torch.nn.CrossEntropyLoss(label_smoothing=learning.label_smoothing)
    plan, losses = engine.Plan(rows.lengths, task.config), []
    steps = [indices for _, indices in plan.batches()]
    mixed = torch.autocast(device, torch.bfloat16) if precision == "bf16-mixed" else nullcontext()
    loader = from_files(task, "train", learning.augmentation, steps, device)
    wait_for(device)
    started = time.perf_counter()
    for step, (pixels, labels) in enumerate(loader):
        for group in optimizer.param_groups:
            group["lr"] = engine.learning_rate_at(step, len(steps), learning)
        with mixed:
            loss = loss_of(model(pixels.to(device)).float(), labels.to(device))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), learning.max_grad_norm)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.detach())
    wait_for(device)
    seconds, losses = time.perf_counter() - started, torch.stack(losses).tolist()
    found = trained(task, model, first, seconds, losses)
    found |= {"curve": losses} | scores_from_files(task, model, device, mixed)
    return with_rate(found, task)


def scores_from_files(task: Any, model: Any, device: str, mixed: Any) -> dict:
    "Validation scores of a model that sees images as the peer shrinks them."
    import torch

    model.eval()
    with torch.inference_mode(), mixed:
        loader = from_files(task, "valid", "none")
        logits = torch.cat([model(pixels.to(device)).float().cpu() for pixels, _ in loader]).numpy()
    answers = {"logits": logits, "target": task.dataset("valid").labels}
    found = task.metrics(SimpleNamespace(columns=answers), "valid")
    return {name: found[name] for name in SYSTEMS[task.name].scores}


def train_images(setting: Setting, precision: str = "32-true", first: bool = False) -> dict:
    "The engine; `first`: the corpus is new, and building its cache counts."
    found, task = train_ours(setting, precision), setting.task()
    found["seconds"] += reading_seconds(task) if first else 0.0
    return with_rate(found, task)


def with_rate(found: dict, task: Any) -> dict:
    count = len(task.dataset("train")) * task.config.learning.num_epochs
    return found | {"per second": count / found["seconds"]}


def operations(setting: Setting) -> dict:
    "Multiplications and additions of one run, as torch counts them for one image."
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    task = setting.task()
    rows, side, model = task.dataset("train"), task.config.model.img_size, task.model()
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 3, side, side)).sum().backward()
    count = len(rows) * task.config.learning.num_epochs
    return {"operations": float(counter.get_total_flops() * count)}


# --- networks of sewer: the same extractor, other ways to look at patches -------------------------


def attention_of_torch(attention: Any, told: bool):
    "`nn.MultiheadAttention` with the weights of a `hybrid.CrossAttention`, and called like one."
    import torch

    parts = (attention.W_Q, attention.W_K, attention.W_V)

    class Attention(torch.nn.Module):
        def __init__(self):
            super().__init__()
            size, heads = attention.out.in_features, attention.num_heads
            drop = attention.dropout.p
            self.inner = torch.nn.MultiheadAttention(size, heads, drop, batch_first=True)
            self.inner.in_proj_weight.data = torch.cat([part.weight.data for part in parts])
            self.inner.in_proj_bias.data = torch.cat([part.bias.data for part in parts])
            self.inner.out_proj.load_state_dict(attention.out.state_dict())

        def forward(self, queries, patches, previous=None):
            kept = {"need_weights": told, "average_attn_weights": False}
            read, weights = self.inner(queries, patches, patches, **kept)
            return read, weights if told else read  # where ours gives scores, which nobody reads

    return Attention()


def networks(setting: Setting) -> dict[str, Any]:  # models, in eval mode
    "Each architecture with the same extractor, and the hybrid with PyTorch's attention."
    import torch

    from mlnotes import hybrid

    found, config = {}, setting.config
    for kind in hybrid.ARCHITECTURES:
        torch.manual_seed(config.learning.random_seed)
        stride = None if kind == "cnn" else config.model.patch_stride
        model = replace(config.model, architecture=kind, patch_stride=stride)
        found[kind] = sewer.build_model(model, len(config.data.labels), weights=False)
    for name, told in (("weights kept", True), ("no weights", False)):
        other = sewer.build_model(config.model, len(config.data.labels), weights=False)
        other.load_state_dict(found["hybrid"].state_dict())
        for layer in other.decoder.layers:
            layer.cross_attention = attention_of_torch(layer.cross_attention, told)
        found[f"hybrid, nn.MultiheadAttention, {name}"] = other
    return {name: model.to(setting.device).eval() for name, model in found.items()}


def run_forward(
    setting: Setting,
    count: int,  # images in a batch
    repeats: int,  # rounds of all networks that count
) -> dict[str, dict]:
    "Of each network: seconds per image and peak MiB of a forward pass, and what it answered."
    import torch

    side, models = setting.config.model.img_size, networks(setting)
    torch.manual_seed(0)
    pixels = torch.randn(count, 3, side, side).to(setting.device)
    calls = {
        name: torch.inference_mode()(lambda x, model=model: model(x=x).cpu())  # .cpu() waits
        for name, model in models.items()
    }
    taken = {each["name"]: each for each in measure_latency(calls, [pixels], repeats)}
    return {
        name: {
            "seconds": taken[name]["p50"] / 1e3 / count,
            "per second": 1e3 * count / taken[name]["p50"],
            "peak MiB": peak_tensor_mib(call, pixels),
            "weights": sum(part.numel() for part in models[name].parameters()),
            "logits": call(pixels).tolist(),
        }
        for name, call in calls.items()
    }


# --- a study --------------------------------------------------------------------------------------

SPACE = {
    "learning_rate": {"low": 1e-4, "high": 3e-2, "log": True},
    "weight_decay": {"low": 0.0, "high": 0.1},
    "dropout": {"low": 0.0, "high": 0.3},
}


def drawn_beforehand(kind: type, seed: int) -> tuning.Objective:  # kind: of the task
    "Trains values that depend on the number of the trial alone: studies get the same trials."
    import optuna

    def objective(config: Config, home: Path, listeners: list) -> float:
        sampler = optuna.samplers.RandomSampler(tuning.trial_seed(seed, int(home.name)))
        spans = tuning.read_space(SPACE, config).spans
        values = optuna.create_study(sampler=sampler).ask({s.name: s.distribution() for s in spans})
        chosen = tuning.by_group(config, values.params)
        train = tuning.training(kind)
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
        objective = drawn_beforehand(type(task), seed) if same else None
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
    "folds": prepare_folds,
    "files": train_files,
    "ours": train_images,
    "forward": run_forward,
    "study": run_study,
    "operations": operations,
    "matrix product": matrix_product,
}

if __name__ == "__main__":
    take_rounds(KINDS)
