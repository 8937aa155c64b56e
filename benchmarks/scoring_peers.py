"""Scoring and converting of nbs/30_benchmarks.ipynb for Korean NER: arrays beside loops.

    python benchmarks/scoring_peers.py SETTINGS    as text_peers.py

The same answers from both; a line such as {"kind": "measure", "of": "entity F1", "sentences": 1000}
is one round. Beside the files of the corpus there is valid.jsonl with the sentences of valid.tsv.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from functools import cached_property, partial
from pathlib import Path
from statistics import median

import numpy as np

from text_peers import Setting, take_rounds  # first: it chooses the mlnotes beside this folder

# isort: split
from mlnotes import metrics, ner
from mlnotes.data import read_tagged, recode
from mlnotes.text import encode_texts, load_tokenizer, token_tags


class Answers:
    "Made-up predictions for the validation sentences: gold tags of tokens, 8 % of them redrawn."

    def __init__(self, setting: Setting, sentences: int, folder: Path):
        tagged = read_tagged(Path(setting.corpus) / "train.tsv")
        self.tag_names = tagged.tag_names
        valid = recode(read_tagged(Path(setting.corpus) / "valid.tsv"), self.tag_names)
        self.tokenizer = load_tokenizer(str(Path(setting.prepared) / "tokenizer"), normalize="none")
        self.width = setting.config.model.seq_len
        counts = [len(self.tokenizer(text).input_ids) for text in valid.texts]
        fits = [number for number, count in enumerate(counts) if count <= self.width]
        chosen = [fits[number % len(fits)] for number in range(sentences)]
        self.texts = [valid.texts[n] for n in chosen]
        tags = [valid.tags[valid.offsets[n] : valid.offsets[n + 1]] for n in chosen]
        self.gold, lengths = np.concatenate(tags), list(map(len, tags))
        self.offsets = np.concatenate([[0], np.cumsum(lengths)])
        self.store = encode_texts(self.tokenizer, self.texts, self.width)
        self.token_tags = self._redrawn(token_tags(self.store, self.gold, self.offsets))
        self.is_space = metrics.space_mask("".join(self.texts))
        self.jsonl = folder / "sentences.jsonl"
        lines = (Path(setting.corpus) / "valid.jsonl").read_text(encoding="utf-8").split("\n")
        records = [json.loads(lines[n]) | {"id": str(number)} for number, n in enumerate(chosen)]
        written = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
        self.jsonl.write_text("".join(written), encoding="utf-8")

    def _redrawn(self, labels: np.ndarray) -> np.ndarray:
        draw = np.random.default_rng(7)
        wrong = draw.integers(0, len(self.tag_names), len(labels))
        answers = np.where(draw.random(len(labels)) < 0.08, wrong, labels)
        return np.where(labels < 0, 0, answers)

    @cached_property
    def characters(self) -> np.ndarray:
        return ner.character_tags(self.token_tags, self.store, self.offsets, self.tag_names)

    @cached_property
    def counted(self) -> np.ndarray:  # bool, one per character
        return (self.characters >= 0) & ~self.is_space

    @cached_property
    def counted_offsets(self) -> np.ndarray:
        return np.concatenate([[0], np.cumsum(self.counted)])[self.offsets]

    def lists(self) -> list[list[list[str]]]:
        "Gold and predicted tags as lists of names by sentence, which is what seqeval reads."
        bounds = list(zip(self.counted_offsets, self.counted_offsets[1:]))
        sides = (side[self.counted] for side in (self.gold, self.characters))
        named = ([self.tag_names[code] for code in side.tolist()] for side in sides)
        return [[side[begin:end] for begin, end in bounds] for side in named]


def entity_scores(answers: Answers, one_list: bool = False):
    bounds = answers.counted_offsets[[0, -1]] if one_list else answers.counted_offsets
    sides = [side[answers.counted] for side in (answers.gold, answers.characters)]
    score = metrics.entity_scores
    return lambda: score(*sides, bounds, answers.tag_names)["macro"]["f1"]


def entity_scores_seqeval(answers: Answers, one_list: bool = False):
    "By sentence, or with all characters in one list, as the original and KLUE call it."
    from seqeval.metrics import f1_score
    from seqeval.scheme import IOB2

    sides = answers.lists()
    if one_list:
        sides = [[[tag for sentence in side for tag in sentence]] for side in sides]
    return lambda: float(f1_score(*sides, average="macro", mode="strict", scheme=IOB2))


def character_scores(answers: Answers):
    sides = [side[answers.counted] for side in (answers.gold, answers.characters)]
    return lambda: metrics.macro_f1(*sides, len(answers.tag_names))


def character_scores_sklearn(answers: Answers):
    from sklearn.metrics import f1_score

    sides = [side[answers.counted].tolist() for side in (answers.gold, answers.characters)]
    options = {"labels": range(len(answers.tag_names)), "average": "macro", "zero_division": 1}
    return lambda: float(f1_score(*sides, **options))


def expansion(answers: Answers):
    names = answers.tag_names
    return lambda: ner.character_tags(answers.token_tags, answers.store, answers.offsets, names)


def expansion_by_loops(answers: Answers):
    "The original's way: every position of every row is asked for its characters."
    encoded = [padded_encoding(answers, text) for text in answers.texts]
    store, names, width = answers.store, answers.tag_names, answers.width
    rows = [
        answers.token_tags[begin:end].tolist() + [0] * (width - int(end - begin))
        for begin, end in zip(store.offsets, store.offsets[1:])
    ]
    code = {name: number for number, name in enumerate(names)}

    def expand() -> np.ndarray:
        characters = []
        for text, encoding, row in zip(answers.texts, encoded, rows):
            found: list = [None] * len(text)
            labels = [names[tag] for tag in row]
            for position in range(width):
                if (span := encoding.token_to_chars(position)) is None:
                    continue
                for number, place in enumerate(range(span.start, span.end)):
                    label = labels[position]
                    inside = number > 0 and "-" in label
                    found[place] = "I-" + label.split("-", 1)[1] if inside else label
            characters += [-1 if label is None else code[label] for label in found]
        return np.array(characters)

    return expand


def padded_encoding(answers: Answers, text: str):
    return answers.tokenizer(
        text, max_length=answers.width, truncation="longest_first", padding="max_length"
    )


def conversion(answers: Answers):
    "From a JSONL file to labelled tokens, by arrays."
    path = answers.jsonl

    def convert() -> int:
        tagged = recode(read_tagged(path), answers.tag_names)
        store = encode_texts(answers.tokenizer, tagged.texts, answers.width)
        labels = token_tags(store, tagged.tags, tagged.offsets, rule="first_entity")
        return int(labels[labels > 0].sum())

    return convert


def conversion_by_loops(answers: Answers):
    "The original's way: an encoding by sentence, and a loop over the characters of every token."
    code = {name: number for number, name in enumerate(answers.tag_names)}

    def convert() -> int:
        total = 0
        for line in answers.jsonl.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            tags = [tag for _, tag in record["character_list"]]
            encoding = padded_encoding(answers, record["origin"])
            labels = []
            for position in range(answers.width):
                span = encoding.token_to_chars(position)
                inside = tags[span.start : span.end] if span else []
                labels.append(code[next((tag for tag in inside if tag != "O"), "O")])
            total += sum(labels)
        return total

    return convert


MEASURED = {
    "entity F1": entity_scores,
    "entity F1, seqeval": entity_scores_seqeval,
    "entity F1 in one list": partial(entity_scores, one_list=True),
    "entity F1 in one list, seqeval": partial(entity_scores_seqeval, one_list=True),
    "character F1": character_scores,
    "character F1, scikit-learn": character_scores_sklearn,
    "expansion": expansion,
    "expansion, loops": expansion_by_loops,
    "conversion": conversion,
    "conversion, loops": conversion_by_loops,
}


def measure(setting: Setting, of: str, sentences: int) -> dict:
    "Median seconds of one function over at least half a second, and its answer."
    taken: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        function = MEASURED[of](Answers(setting, sentences, Path(folder)))
        while sum(taken) < 0.5 or len(taken) < 2:
            started = time.perf_counter()
            answer = function()
            taken.append(time.perf_counter() - started)
    if isinstance(answer, np.ndarray):
        answer = hashlib.sha256(answer.astype(np.int16).tobytes()).hexdigest()[:12]
    return {"seconds": median(taken), "answer": answer}


if __name__ == "__main__":
    take_rounds({"measure": measure})
