"""Trainings of several ranks on Open MPI: the bytes they write, and how they end."""

import json
import os
import shutil
import signal
import socket
import tempfile
import unittest
from pathlib import Path

import job
import kill_ranks
import pairs_file

HOST = socket.gethostname()
LONG = job.settings(["train.epochs=2000", "data.shapes.examples=1920", "data.shapes.test_examples=16"])


class Training(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.alone = Path(cls.folder.name) / "alone"
        cls.check(cls, job.run_ranks(0, job.training(cls.alone)))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def out(self, name):
        return Path(self.folder.name) / name

    def check(self, result, code=0):
        if result.returncode != code:
            raise AssertionError(f"exit code {result.returncode}, expected {code}: {result.stderr}")
        return result

    def refused(self, result, code, *parts):
        self.check(result, code)
        lines = [line for line in result.stderr.splitlines() if ": error: " in line]
        self.assertEqual(len(lines), 1, result.stderr)
        for part in parts:
            self.assertIn(part, lines[0])

    def test_any_number_of_ranks_writes_the_bytes_of_one_process(self):
        for ranks, threads in ((1, 1), (2, 1), (2, 3), (4, 1)):
            out = self.out(f"ranks{ranks}-{threads}")
            self.check(job.run_ranks(ranks, job.training(out, threads=threads)))
            self.assertEqual(job.results(out), job.results(self.alone), f"{ranks} ranks of {threads} threads")

    def test_running_statistics_travel_with_the_gradient(self):
        convolutional = job.settings(["model.kind=convolutional", "model.convolution.channels=[3,4]"])
        for ranks in (0, 3):
            self.check(job.run_ranks(ranks, job.training(self.out(f"convolutional{ranks}"), *convolutional)))
        self.assertEqual(job.results(self.out("convolutional3")), job.results(self.out("convolutional0")))

    def test_a_training_goes_on_with_another_number_of_ranks(self):
        for ranks, stop in ((2, "7"), (4, "13"), (0, "0")):
            self.check(job.run_ranks(ranks, job.training(self.out("moved"), "--resume", "--max-steps", stop)))
        self.assertEqual(job.results(self.out("moved")), job.results(self.alone))

    def test_ranks_skip_and_roll_back_alike(self):
        wild = {"skip": ["model.attention.kind=softmax", "model.attention.epsilon=5e-39", "train.divergence_limit=50",
                         "train.batch=4", "train.shard=1"],
                "rollback": ["train.learning_rate=10", "train.weight_decay=10", "train.clip_norm=0", "train.warmup_fraction=0",
                             "train.epochs=4", "train.checkpoint_every=1000"]}
        for policy, changes in wild.items():
            settings = job.settings([f"train.on_divergence={policy}", *changes])
            for ranks in (0, 2):
                self.check(job.run_ranks(ranks, job.training(self.out(f"{policy}{ranks}"), *settings, "--max-steps", "40")))
            self.assertEqual(job.results(self.out(f"{policy}0")), job.results(self.out(f"{policy}2")))
            self.assertIn(b"skipped_steps" if policy == "skip" else b"rollbacks",
                          b"".join(job.results(self.out(f"{policy}2")).values()))

    def test_a_matcher_trains_to_the_bytes_of_one_process(self):
        pairs = self.out("pairs.npz")
        pairs_file.write_pairs(pairs, count=6, keypoints=24)
        settings = job.settings(["model.kind=matcher", f"data.train={pairs}", f"data.test={pairs}", "data.descriptors=histogram", "train.batch=4",
                                 "model.matcher.width=16", "model.matcher.layers=1", "train.max_steps=10"])
        for ranks in (0, 3):
            self.check(job.run_ranks(ranks, [str(job.BINARIES / "asap-train"), *settings, "--threads", "1", "--out",
                                             str(self.out(f"matcher{ranks}"))]))
        self.assertEqual(job.results(self.out("matcher0")), job.results(self.out("matcher3")))
        tests = [json.loads((self.out(name) / "summary.json").read_text())["test"] for name in ("matcher0", "matcher3")]
        self.assertEqual(*tests)
        self.assertGreater(tests[0][0]["recall"], 0)

    def test_fast_sums_give_one_result_but_for_rounding(self):
        self.check(job.run_ranks(2, job.training(self.out("fast"), "--fast-reduction", "--max-steps", "1")))
        names = ("metrics.jsonl",)
        for name in names:
            first = [(self.out("fast") / name).read_text().splitlines()[0], (self.alone / name).read_text().splitlines()[0]]
            self.assertEqual(*[line.split('"gradient_norm"')[0] for line in first])

    def test_a_killed_rank_ends_the_job_and_costs_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            for seconds in kill_ranks.kill_and_resume(Path(folder), kills=2, ranks=2, seed=1):
                self.assertLess(seconds, 10)

    def test_an_interrupted_rank_stops_all_with_their_work_saved(self):
        running = job.RunningJob(2, job.training(self.out("interrupted"), *LONG))
        running.wait_for_step(self.out("interrupted"), 8)
        os.kill(running.process_of(1), signal.SIGTERM)
        code, _ = running.end(30)
        self.assertEqual(code, 143)
        self.assertEqual(running.text().count("everything is saved. Continue with: asap-train"), 1)

    def test_a_rank_that_hangs_is_named(self):
        running = job.RunningJob(3, job.training(self.out("hanging"), *LONG, "--rank-timeout", "2"))
        running.wait_for_step(self.out("hanging"), 8)
        os.kill(running.process_of(1), signal.SIGSTOP)
        code, seconds = running.end(30)
        self.assertEqual(code, 3)
        self.assertLess(seconds, 15)
        self.assertEqual(running.text().count(f"error: rank 1 on {HOST} did not answer for"), 1, running.text())

    def test_ranks_that_differ_are_refused_with_both_values(self):
        line = job.training(self.out("different"))
        for change, name, values in ((["--set", "train.weight_decay=0.5"], "train.weight_decay", ("0.5", "0.05")),
                                     (["--seed", "7"], "seed", ("7", "1")),
                                     (["--simd", "scalar"], "the instruction set", ())):
            result = job.run(job.command(1, line, [*line, *change]))
            self.refused(result, 2, f"error: {name} is ", f"on rank 1 ({HOST})", f"on rank 0 ({HOST})", *values)
        self.assertFalse(self.out("different").exists())

    def test_another_program_is_refused(self):
        line = job.training(self.out("different"))
        other = self.out("asap-train")
        shutil.copy(line[0], other)
        with open(other, "ab") as file:
            file.write(b"another build")
        self.refused(job.run(job.command(1, line, [str(other), *line[1:]])), 2, "the fingerprint of the program is ")

    def test_an_error_is_printed_once_or_names_its_rank(self):
        line = job.training(self.out("failing"))
        self.refused(job.run(job.command(2, [*line, "--set", "train.batch=no"])), 2, "asap-train: error: ", "train.batch")
        result = job.run(job.command(1, line, [*line, "--config", "missing.json"]))
        self.refused(result, 3, f"asap-train: error: rank 1 on {HOST}: ", "missing.json")

    def test_ranks_without_work_are_refused(self):
        line = job.training(self.out("few"), "--set", "train.shard=8")
        self.refused(job.run_ranks(3, line), 2, "2 shards", "3 ranks")
        bench = [str(job.BINARIES / "asap-eval"), "bench", "--out", str(self.out("bench"))]
        self.refused(job.run_ranks(2, bench), 2, "works in one process")


if __name__ == "__main__":
    unittest.main(verbosity=2)
