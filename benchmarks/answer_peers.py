"""Answers and memory of nbs/30_benchmarks.ipynb: one text at a time, 16 clients, one more rank.

    python benchmarks/answer_peers.py SETTINGS             rounds, as text_peers.py
    python benchmarks/answer_peers.py SETTINGS flask 60    a server: prints its port and the right
                                                           answers to 60 texts, ends with stdin

The models have random weights: that changes what they say, not how long they take.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from text_peers import Setting, new_model, own_stdout, take_rounds  # first: as in scoring_peers.py

# isort: split
from mlnotes import ner, sentiment
from mlnotes.data import split_files
from mlnotes.export import OnnxModel, export_onnx, quantize_int8
from mlnotes.serve import Page, serving
from mlnotes.tables import split_fields
from mlnotes.text import load_tokenizer

ONNX = ("onnx", "onnxruntime", "onnxscript")  # what exporting and running takes
ANSWERERS = {"ner": ner.Tagger, "sentiment": sentiment.Classifier}


@contextmanager
def model_folder(setting: Setting) -> Iterator[Path]:
    "A Hugging Face folder with the untrained model of the setting, for a while."
    with tempfile.TemporaryDirectory() as home:
        task = setting.task()
        model, _ = new_model(task)
        folder = Path(home) / "model"
        task.save(model, folder)
        model.save_pretrained(folder)
        yield folder


def some_texts(setting: Setting, count: int) -> list[str]:
    "The first validation texts that are not empty, from the beginning again where they end."
    path = split_files(setting.config.data)["valid"]
    read = ner.read_tagged if setting.system == "ner" else sentiment.read_labelled
    texts = [text for text in read(path).texts if text.strip()]
    return [texts[number % len(texts)] for number in range(count)]


# --- one text at a time: from a text to labels and their probabilities ----------------------------

Labels = list[tuple[str, float]]  # of the text, or of its tokens without those outside of entities
PIPELINES = {"ner": "token-classification", "sentiment": "text-classification"}
AUTO = {
    "ner": "AutoModelForTokenClassification", "sentiment": "AutoModelForSequenceClassification"
}


def of_ours(answer: dict) -> Labels:
    if "result" in answer:
        rows = [(row["label"], float(row["prob"])) for row in answer["result"]]
        return [row for row in rows if row[0] != "O"]
    return [(answer["label"], answer["probability"])]


def of_pipeline(answer: list[dict]) -> Labels:
    return [(row.get("entity") or row["label"], float(row["score"])) for row in answer]


def make_pipeline(system: str, folder: Path) -> Callable[[str], list[dict]]:
    "The pipeline as it comes; long reviews have to be cut, which it does not do by itself."
    from transformers import pipeline

    cut = {"truncation": True} if system == "sentiment" else {}
    return pipeline(PIPELINES[system], model=str(folder), device="cpu", **cut)


def make_infer_one(system: str, folder: Path, width: int) -> Callable[[str], Labels]:
    "The original's way: the text padded to `width` tokens, whatever its length."
    import torch
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder))
    model = getattr(transformers, AUTO[system]).from_pretrained(str(folder)).eval()
    special, names = set(tokenizer.all_special_ids), model.config.id2label
    options = {"max_length": width, "padding": "max_length", "truncation": True}

    def infer_one(text: str) -> Labels:
        inputs = tokenizer(text, **options, return_tensors="pt")
        with torch.no_grad():
            probabilities = model(**inputs).logits[0].softmax(-1)
        if system == "sentiment":
            best = int(probabilities.argmax())
            return [(names[best], float(probabilities[best]))]
        found = []
        for token, row in zip(inputs["input_ids"][0].tolist(), probabilities):
            best = int(row.argmax())
            if token not in special or token == tokenizer.unk_token_id:
                found.append((names[best], float(row[best])))
        return [row for row in found if row[0] != "O"]

    return infer_one


def exported(system: str, folder: Path, texts: list[str]) -> dict[str, Callable[[str], dict]]:
    "Our answerer around the model in ONNX and in 8 bits; nothing without their packages."
    if not all(map(find_spec, ONNX)):
        return {}
    whole, small = (folder.with_name(name) for name in ("onnx", "int8"))
    answerer = ANSWERERS[system]
    right = answerer(folder).predict

    def agreement(model: OnnxModel) -> float:
        told = answerer(whole, model=model).predict
        return agreement_with(right, told, of_ours, texts[:8])["same"]

    export_onnx(folder, whole)
    quantize_int8(whole, small, agreement, "agreement with PyTorch", repeats=1)
    return {
        name: answerer(place, model=OnnxModel(place)).predict
        for name, place in (("mlnotes, ONNX", whole), ("mlnotes, int8", small))
    }


def agreement_with(ours: Callable, other: Callable, labels_of: Callable, texts: list[str]) -> dict:
    "Share of texts with the same labels, and how far probabilities are apart where they are."
    same, far = 0, 0.0
    for text in texts:
        mine, told = of_ours(ours(text)), labels_of(other(text))
        if [label for label, _ in mine] == [label for label, _ in told]:
            same += 1
            pairs = zip(mine, told, strict=True)
            far = max([far, *(abs(one - two) for (_, one), (_, two) in pairs)])
    return {"same": same / len(texts), "far": far}


def take_times(contestants: dict[str, Callable], texts: list[str], pause: float) -> dict:
    "{name: seconds of every text}, in random order, so that nobody always follows the same one."
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    names, order = list(contestants), random.Random(7)
    for text in texts:
        for name in order.sample(names, len(names)):
            time.sleep(pause)
            began = time.perf_counter()
            contestants[name](text)
            taken[name].append(time.perf_counter() - began)
    return taken


def latency(
    setting: Setting,
    texts: int = 100,  # the first of the validation split
    repeats: int = 5,  # rounds that count, after one that does not
    pause: float = 0.005,  # seconds before each answer, in which the threads of the one before rest
) -> dict:  # p50 and p95 in seconds, and whether the answers are the same, by name
    "Contestants in one process."
    asked, system = some_texts(setting, texts), setting.system
    with model_folder(setting) as folder:
        ours = ANSWERERS[system](folder).predict
        contestants = {
            "HF pipeline": make_pipeline(system, folder),
            "the original's, padded to 128": make_infer_one(system, folder, 128),
            "mlnotes": ours,
            **exported(system, folder, asked),
        }
        take_times(contestants, asked, pause)
        taken = take_times(contestants, asked * repeats, pause)
        forms = {"HF pipeline": of_pipeline, "the original's, padded to 128": list}
        return {
            name: {
                "p50": float(np.median(taken[name])),
                "p95": float(np.quantile(taken[name], 0.95)),
                **agreement_with(ours, contestant, forms.get(name, of_ours), asked),
            }
            for name, contestant in contestants.items()
        }


# --- servers --------------------------------------------------------------------------------------


@contextmanager
def flask_server(answer: Callable[[str], dict]) -> Iterator[int]:  # its port
    "What `app.run` starts: Werkzeug's development server with a thread for every connection."
    from flask import Flask, jsonify, request
    from werkzeug.serving import make_server

    app = Flask("peer")
    app.post("/api")(lambda: jsonify(answer(request.get_json())))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.port
    server.shutdown()


def original_server(folder: Path) -> AbstractContextManager[int]:
    "What the original starts."
    infer_one = make_infer_one("sentiment", folder, 128)
    return flask_server(lambda text: dict(zip(("label", "probability"), infer_one(text)[0])))


@contextmanager
def our_server(folder: Path, model: Any = None) -> Iterator[int]:  # its port
    "What `mlnotes serve sentiment` starts."
    page = Page("peer", "peer", "", (), "sentiment")
    classifier = sentiment.Classifier(folder, model)
    with serving(classifier.predict_many, page, name="sentiment") as url:
        yield int(url.rpartition(":")[2])


def onnx_server(folder: Path) -> AbstractContextManager[int]:
    "What `mlnotes serve sentiment --onnx FOLDER` starts."
    exported = folder.with_name("onnx")
    export_onnx(folder, exported)
    return our_server(exported, OnnxModel(exported))


SERVERS = {
    "original": original_server,
    "flask": lambda folder: flask_server(sentiment.Classifier(folder).predict),
    "mlnotes": our_server,
    "onnx": onnx_server,
}


def serve(setting: Setting, kind: str, count: int) -> None:
    "Tells port and right answers, asked one after another, and serves until stdin ends."
    told = own_stdout()
    with model_folder(setting) as folder:
        classifier = sentiment.Classifier(folder)
        answers = [classifier.predict(text) for text in some_texts(setting, count)]
        right = [(answer["label"], answer["probability"]) for answer in answers]
        with SERVERS[kind](folder) as port:
            told.write(json.dumps({"port": port, "answers": right}) + "\n")
            sys.stdin.read()


class Served:
    "A server in a process of its own, with the requests of its clients; lives as long as we do."

    running: dict[tuple, Served] = {}

    def __init__(self, kind: str, texts: int, keep: bool):
        script = [sys.executable, __file__, sys.argv[1], kind, str(texts)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process, self.keep = subprocess.Popen(script, **pipes), keep
        if not (line := self.process.stdout.readline()):
            raise RuntimeError(f"the server {kind} did not start.")
        told = json.loads(line)
        self.port, self.answers = told["port"], told["answers"]
        asked = some_texts(Setting(**json.loads(sys.argv[1])), texts)
        self.requests = [self.request(text) for text in asked]

    def request(self, text: str) -> bytes:
        "A whole HTTP request."
        body = json.dumps(text, ensure_ascii=False).encode()
        after = "keep-alive" if self.keep else "close"
        head = (
            f"POST /api HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nConnection: {after}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


# --- clients: plain sockets in one thread, so that the processor is the server's ------------------


async def client(served: Served, numbers: Iterator[int], outcomes: list) -> None:
    "Asks the next text as soon as the last is answered; (text, seconds, status line, body)."
    reader = writer = None
    for number in numbers:
        which, began = number % len(served.requests), time.perf_counter()
        if writer is None:
            reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(served.requests[which])
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].split(maxsplit=1)[0])
        body = await reader.readexactly(length)
        outcomes.append((which, time.perf_counter() - began, head, body))
        if not served.keep or b"connection: close" in head:
            writer.close()
            writer = None
    if writer is not None:
        writer.close()


async def all_clients(served: Served, requests: int, count: int) -> list:
    numbers, outcomes = iter(range(requests)), []
    await asyncio.gather(*(client(served, numbers, outcomes) for _ in range(count)))
    return outcomes


def clients(
    setting: Setting,
    server: str,  # of `SERVERS`
    keep: bool = True,  # clients keep their connection; False: a new one for every request
    requests: int = 1000,
    texts: int = 200,  # different ones
    count: int = 16,  # clients at the same time
) -> dict:
    "Requests by second, latencies, and how many answers differ from those asked one by one."
    key = (server, texts, keep)
    served = Served.running.get(key) or Served.running.setdefault(key, Served(*key))
    gc.disable()
    started, own = time.perf_counter(), time.process_time()
    outcomes = asyncio.run(all_clients(served, requests, count))
    seconds, own = time.perf_counter() - started, time.process_time() - own
    gc.enable()
    different = 0
    for which, _, head, body in outcomes:
        label, probability = served.answers[which]
        answer = json.loads(body) if b" 200 " in head.partition(b"\r\n")[0] else {"label": None}
        close = answer["label"] == label and abs(answer["probability"] - probability) <= 1e-6
        different += not close
    waits = [wait for _, wait, _, _ in outcomes]
    return {
        "seconds": seconds / requests,
        "per second": requests / seconds,
        "p50": float(np.median(waits)),
        "p99": float(np.quantile(waits, 0.99)),
        "different": different,
        "clients' share": own / seconds,  # of one core
    }


# --- memory: a training split in one more process -------------------------------------------------


@dataclass
class Features:
    "A review as the original keeps it."

    idx: int
    input_ids: list[int]
    attention_mask: list[int]
    token_type_ids: list[int]
    label: int


def padded_lists(setting: Setting, tokenizer: Any) -> list[Features]:
    "The original's way: every review as three lists, as long as the model reads."
    path, code = split_files(setting.config.data)["train"], {"0": 0, "1": 1}
    options = {"max_length": setting.config.model.seq_len, "padding": "max_length"}
    options |= {"truncation": True, "return_token_type_ids": True}
    lines = path.read_text(encoding="utf-8").split("\n")[1:]
    features = []
    for number, line in enumerate(filter(None, lines)):
        _, text, label = split_fields(line, "\t")
        encoded = tokenizer(text, **options)
        features.append(Features(number, **encoded, label=code[label]))
    return features


def prepared_here(setting: Setting, tokenizer: Any) -> sentiment.SentimentDataset:
    "As the first rank has it: from the file to arrays on disk, which are then opened."
    data, home = setting.config.data, tempfile.TemporaryDirectory()
    HELD.append(home)
    folder = Path(home.name) / "train"
    reviews = sentiment.read_split(split_files(data)["train"], data, ("0", "1"))
    sentiment.encode_split(reviews, tokenizer, setting.config.model.seq_len, folder)
    return sentiment.open_split(folder)


def opened(setting: Setting, tokenizer: Any) -> sentiment.SentimentDataset:
    "As every other rank has it."
    return sentiment.open_split(Path(setting.prepared) / "train")


WAYS = {"lists": padded_lists, "prepared": prepared_here, "opened": opened}
HELD: list = []  # what this process has loaded, which stays


def tokens_of(data: Any) -> int:
    "Tokens that are no padding; every page of the data is read."
    if isinstance(data, list):
        return sum(sum(features.attention_mask) for features in data)
    touched = (data.lengths.sum(), data.weights.sum(), np.asarray(data.labels).sum())
    return int(touched[0]) if np.asarray(data.store.input_ids).sum() >= 0 else 0


def memory(setting: Setting, way: str) -> dict:
    "Seconds until the training split is there, and what it adds to the memory of this process."
    import psutil

    tokenizer = load_tokenizer(str(Path(setting.prepared) / "tokenizer"), normalize="none")
    tokenizer("준비")
    gc.collect()
    process = psutil.Process()
    before, started = process.memory_full_info(), time.perf_counter()
    data = WAYS[way](setting, tokenizer)
    seconds, tokens = time.perf_counter() - started, tokens_of(data)
    HELD.append(data)
    gc.collect()
    after = process.memory_full_info()
    return {
        "seconds": seconds,
        "own MB": max(0.01, (after.uss - before.uss) / 1e6),  # given back when this process ends
        "resident MB": (after.rss - before.rss) / 1e6,  # with pages that processes share
        "rows": len(data),
        "tokens": tokens,
    }


if __name__ == "__main__":
    if sys.argv[2:]:
        serve(Setting(**json.loads(sys.argv[1])), sys.argv[2], int(sys.argv[3]))
    else:
        take_rounds({"latency": latency, "clients": clients, "memory": memory})
