// Answers to new examples, from the command line: bundles, files, streams.
#include <algorithm>
#include <cstdlib>

#include <doctest/doctest.h>

#include "cli/process.h"
#include "io/delimited.h"
#include "io/npy.h"
#include "support/image_folders.h"
#include "support/text_folder.h"

using namespace asap::base;
using namespace asap::io;
using namespace asap::test;
namespace fs = std::filesystem;

namespace {

/// A trained and compiled network on texts, and its bundle.
struct TextRun {
  Workspace work;

  TextRun() {
    write_text_folder(work / "data");
    Words words;
    for (const char* assignment :
         {"data.kind=text", "model.kind=text", "data.text.min_count=1", "data.text.max_tokens=16",
          "model.width=16", "model.heads=2", "model.layers=2", "model.attention.iterations=4",
          "train.batch=16", "train.epochs=2", "train.learning_rate=0.01"})
      words = words + Words{"--set", assignment};
    REQUIRE(run("asap-train", words + Words{"--set", "data.path=" + (work / "data").string(),
                                            "--out", (work / "run").string()})
                .code == 0);
    REQUIRE(compile(work / "run", work / "operator").code == 0);
    REQUIRE(bundle().code == 0);
  }
  Outcome bundle(const Words& more = {}) const {
    return run("asap-eval",
               Words{"bundle", "--run", (work / "run").string(), "--compiled",
                     (work / "operator").string(), "--out", (work / "m.safetensors").string()} +
                   more);
  }
  Outcome predict(const std::string& input, const std::string& out, const Words& more = {}) const {
    return run("asap-eval", Words{"predict", "--model", (work / "m.safetensors").string(),
                                  "--input", input, "--out", (work / out).string()} +
                                more);
  }
};

/// The share of the rows of predictions.csv whose label is their class.
double accuracy_of(const fs::path& folder) {
  const DelimitedRows rows = read_delimited(folder / "predictions.csv", {});
  REQUIRE(rows.field(0, 1) == "label");
  REQUIRE(rows.field(0, 2) == "class");
  double right = 0;
  for (std::int64_t i = 1; i < rows.rows(); ++i) right += rows.field(i, 1) == rows.field(i, 2);
  return right / static_cast<double>(rows.rows() - 1);
}

std::string answers_in(const fs::path& folder) {
  return read_file(folder / "predictions.csv") + read_file(folder / "predictions.jsonl");
}

/// Trains, compiles and compares, and checks that predictions.csv gives the same accuracies.
void check_accuracies(const Workspace& work, const std::string& input) {
  const Outcome compared =
      run("asap-eval", {"compare", "--run", (work / "run").string(), "--compiled",
                        (work / "operator").string(), "--methods", "teacher,compiled,sinkhorn:1",
                        "--out", (work / "compare").string(), "--set", "shown_examples=0"});
  REQUIRE(compared.code == 0);
  const Json compare = read_json(work / "compare" / "summary.json");
  for (const Json& method : compare["methods"]) {
    const std::string name = method["name"];
    CAPTURE(name);
    const fs::path out = work / ("answers_" + name);
    const Outcome predicted =
        run("asap-eval", {"predict", "--run", (work / "run").string(), "--compiled",
                          (work / "operator").string(), "--method", name, "--input", input, "--out",
                          out.string()});
    CAPTURE(predicted.error);
    REQUIRE(predicted.code == 0);
    CHECK(accuracy_of(out) == method["accuracy"].get<double>());
    CHECK(read_json(out / "summary.json")["accuracy"] == method["accuracy"]);
  }
}

void check_refused(const Outcome& outcome, int code, const std::vector<std::string>& parts) {
  const std::string line = last_line(outcome.error);
  CAPTURE(line);
  CHECK(outcome.code == code);
  for (const std::string& part : parts) CHECK_MESSAGE(line.find(part) != std::string::npos, part);
}

}  // namespace

TEST_CASE("texts: predictions.csv has the accuracy of compare, from run and bundle alike") {
  const TextRun texts;
  const std::string test = texts.work / "data/test.tsv";
  check_accuracies(texts.work, test);
  REQUIRE(texts.predict(test, "bundle").code == 0);
  CHECK(answers_in(texts.work / "bundle") == answers_in(texts.work / "answers_compiled"));
  // Any threads, any batch.
  for (const Words& words :
       {Words{"--threads", "1", "--batch", "5"}, Words{"--threads", "2", "--batch", "64"}}) {
    REQUIRE(texts.predict(test, "again", words + Words{"--overwrite"}).code == 0);
    CHECK(answers_in(texts.work / "again") == answers_in(texts.work / "bundle"));
  }
  // Any order of the inputs: the sorted lines of answers, without their numbers, are the same.
  const auto sorted_lines = [](std::string text) {
    std::vector<std::string> lines;
    for (std::size_t end; (end = text.find('\n')) != std::string::npos; text.erase(0, end + 1))
      lines.push_back(text.substr(0, end));
    std::ranges::sort(lines);
    return lines;
  };
  std::string reversed;
  std::vector<std::string> lines = sorted_lines(read_file(test));
  for (const std::string& line : lines) reversed += line + "\n";
  write_file_atomically(texts.work / "sorted.tsv", reversed);
  REQUIRE(texts.predict(texts.work / "sorted.tsv", "sorted").code == 0);
  const auto answers = [&](const std::string& folder) {
    std::vector<std::string> rows =
        sorted_lines(read_file(texts.work / folder / "predictions.csv"));
    for (std::string& row : rows) row.erase(0, row.find(','));
    std::ranges::sort(rows);
    return rows;
  };
  CHECK(answers("sorted") == answers("bundle"));
}

TEST_CASE("standard input is answered line by line with the answers of a file") {
  const TextRun texts;
  const std::string in = texts.work / "in.txt", out = texts.work / "stream.jsonl";
  write_file_atomically(in, "kind film\ncold, \"dull\" plot\r\nan actor\n");
  REQUIRE(texts.predict(in, "answers", {"--top", "2"}).code == 0);
  const std::string command = std::string(ASAP_BINARY_DIR) + "/asap-eval predict --model '" +
                              (texts.work / "m.safetensors").string() +
                              "' --input - --top 2 --quiet < '" + in + "' > '" + out + "'";
  REQUIRE(std::system(command.c_str()) == 0);
  CHECK(read_file(out) == read_file(texts.work / "answers/predictions.jsonl"));
}

TEST_CASE("images: predictions.csv has the accuracy of compare") {
  const Workspace work;
  write_red_and_blue(work / "data", 24);
  REQUIRE(train(work / "run", {"--set", "data.kind=image_folders", "--set",
                               "data.path=" + (work / "data").string()})
              .code == 0);
  REQUIRE(
      run("asap-compile", {"--run", (work / "run").string(), "--out", (work / "operator").string(),
                           "--calibration", "24", "--set", "held_out=8"})
          .code == 0);
  check_accuracies(work, work / "data/test");
  // A bundle remembers the classes without the data.
  fs::remove_all(work / "data/train");
  REQUIRE(run("asap-eval", {"bundle", "--run", (work / "run").string(), "--out",
                            (work / "m.safetensors").string()})
              .code == 0);
  const Outcome one =
      run("asap-eval", {"predict", "--model", (work / "m.safetensors").string(), "--input",
                        (work / "data/test/red/0.png").string(), "--out", (work / "one").string(),
                        "--embeddings", "--plans", "--certificate", "--json"});
  REQUIRE(one.code == 0);
  CHECK(Json::parse(one.out)["classes"] == Json{"blue", "red"});
  CHECK(read_npy(work / "one/embeddings.npy").shape == asap::tensor::Shape{1, 16});
  CHECK(read_npy(work / "one/plans/000001.npy").shape == asap::tensor::Shape{2, 2, 16, 16});
  CHECK(read_file(work / "one/predictions.csv").find("column_error") != std::string::npos);
  CHECK_FALSE(fs::exists(work / "one/confusion.csv"));
}

TEST_CASE("sets of points: predictions.csv has the accuracy of compare") {
  const Workspace work;
  std::string rows[2];
  RandomStream random(3, RandomPurpose::test);
  for (int part = 0; part < 2; ++part)
    for (int set = 0; set < (part == 0 ? 64 : 24); ++set)
      for (int point = 0; point < 6 + set % 5; ++point) {
        const double stretch = set % 2 == 0 ? 1 : 3;
        rows[part] += std::to_string(set) + "," + std::to_string(set % 2) + "," +
                      std::to_string(stretch * random.normal()) + "," +
                      std::to_string(random.normal()) + "\n";
      }
  fs::create_directories(work / "data");
  write_file_atomically(work / "data/train.csv", rows[0]);
  write_file_atomically(work / "data/test.csv", rows[1]);
  REQUIRE(train(work / "run", {"--set", "data.kind=points", "--set", "model.kind=set", "--set",
                               "data.classes=2", "--set", "data.path=" + (work / "data").string()})
              .code == 0);
  REQUIRE(
      run("asap-compile", {"--run", (work / "run").string(), "--out", (work / "operator").string(),
                           "--calibration", "32", "--set", "held_out=16"})
          .code == 0);
  check_accuracies(work, work / "data/test.csv");
}

TEST_CASE("a cascade of predict is that of compare") {
  const TextRun texts;
  REQUIRE(
      run("asap-eval", {"compare", "--run", (texts.work / "run").string(), "--compiled",
                        (texts.work / "operator").string(), "--methods", "compiled:cascade",
                        "--set", "shown_examples=0", "--out", (texts.work / "compare").string()})
          .code == 0);
  const Json compare = read_json(texts.work / "compare/summary.json");
  REQUIRE(run("asap-eval", {"predict", "--run", (texts.work / "run").string(), "--compiled",
                            (texts.work / "operator").string(), "--input",
                            (texts.work / "data/test.tsv").string(), "--cascade", "--out",
                            (texts.work / "answers").string()})
              .code == 0);
  const Json summary = read_json(texts.work / "answers/summary.json");
  CHECK(summary["method"] == "compiled:cascade");
  CHECK(summary["accuracy"] == compare["methods"][0]["accuracy"]);
  const double share = summary["rerun_examples"].get<double>() / summary["examples"].get<double>();
  CHECK(share == compare["methods"][0]["cascade"]["rerun_share"].get<double>());
  const std::string test = texts.work / "data/test.tsv";
  check_refused(texts.predict(test, "b", {"--cascade"}), 2, {"no cascade", "asap-eval bundle"});
  REQUIRE(texts.bundle({"--cascade", "--overwrite"}).code == 0);
  REQUIRE(texts.predict(test, "b", {"--cascade"}).code == 0);
  CHECK(answers_in(texts.work / "b") == answers_in(texts.work / "answers"));
  CHECK(read_json(texts.work / "b/summary.json")["rerun_examples"] == summary["rerun_examples"]);
}

TEST_CASE("faulty inputs end the command, or are counted and end it with exit code 3") {
  const TextRun texts;
  write_file_atomically(texts.work / "in.txt", "kind film\n\ncold plot\n");
  check_refused(texts.predict(texts.work / "in.txt", "a"), 3, {"in.txt:2", "--keep-going"});
  CHECK_FALSE(fs::exists(texts.work / "a/predictions.csv"));
  CHECK_FALSE(fs::exists(texts.work / "a/predictions.csv.part"));
  const Outcome kept = texts.predict(texts.work / "in.txt", "b", {"--keep-going"});
  check_refused(kept, 3, {"1 of 3 inputs"});
  CHECK(kept.error.find("in.txt:2: the text is empty") != std::string::npos);
  const std::string csv = read_file(texts.work / "b/predictions.csv");
  CHECK(std::ranges::count(csv, '\n') == 3);
  CHECK(read_json(texts.work / "b/summary.json")["errors"] == 1);
}

TEST_CASE("names that the training knew are names, whichever columns a file has") {
  const Workspace work;
  write_text_folder(work / "data");
  for (const char* part : {"train", "test"}) {
    std::string text = read_file(work / "data" / (std::string(part) + ".tsv"));
    write_file_atomically(work / "data" / (std::string(part) + ".tsv"), "mood\twords\n" + text);
  }
  Words words{"--set", "data.path=" + (work / "data").string(), "--out", (work / "run").string()};
  for (const char* assignment :
       {"data.kind=text", "data.text.label_column=mood", "model.kind=text", "data.text.min_count=1",
        "model.width=16", "model.layers=1", "train.batch=16", "train.max_steps=3"})
    words = words + Words{"--set", assignment};
  REQUIRE(run("asap-train", words).code == 0);
  write_file_atomically(work / "texts.tsv", "words\nbright warm film.\ndull plot.\n");
  write_file_atomically(work / "both.tsv",
                        "mood\twords\ngood\tbright warm film.\nbad\tdull plot.\n");
  for (const char* input : {"texts.tsv", "both.tsv"})
    for (const Words& more : {Words{}, Words{"--label-column", "none"}}) {
      CAPTURE(input);
      const Outcome outcome = run("asap-eval", Words{"predict", "--run", (work / "run").string(),
                                                     "--input", (work / input).string(), "--out",
                                                     (work / "out").string(), "--overwrite"} +
                                                   more);
      CAPTURE(outcome.error);
      REQUIRE(outcome.code == 0);
      CHECK(read_json(work / "out/summary.json")["examples"] == 2);
    }
}

TEST_CASE("answers stay until those that replace them are complete") {
  const TextRun texts;
  write_file_atomically(texts.work / "good.txt", "kind film\n");
  write_file_atomically(texts.work / "bad.txt", "kind film\n\ncold plot\n");
  REQUIRE(texts.predict(texts.work / "good.txt", "a", {"--plans"}).code == 0);
  const std::string before = answers_in(texts.work / "a"),
                    summary = read_file(texts.work / "a/summary.json");
  CHECK(texts.predict(texts.work / "bad.txt", "a", {"--overwrite", "--plans"}).code == 3);
  CHECK(answers_in(texts.work / "a") == before);
  CHECK(read_file(texts.work / "a/summary.json") == summary);
  CHECK(fs::exists(texts.work / "a/plans/000001.npy"));
  CHECK_FALSE(fs::exists(texts.work / "a/plans.part"));
  REQUIRE(texts.predict(texts.work / "good.txt", "a", {"--overwrite"}).code == 0);
  CHECK_FALSE(fs::exists(texts.work / "a/plans"));
}

TEST_CASE("what cannot be predicted is refused in the user's words") {
  const TextRun texts;
  const std::string test = texts.work / "data/test.tsv", m = texts.work / "m.safetensors";
  check_refused(
      run("asap-eval", {"predict", "--input", test, "--out", (texts.work / "o").string()}), 2,
      {"--run", "--model"});
  check_refused(texts.predict(test, "o", {"--method", "techer"}), 2, {"--method", "'teacher'"});
  check_refused(texts.predict(texts.work / "none", "o"), 3, {"--input", "none"});
  check_refused(texts.predict("-", "o"), 2, {"--out"});
  check_refused(texts.predict(test, "o", {"--format", "xml"}), 2, {"--format", "jsonl"});
  check_refused(run("asap-eval", {"predict", "--model", test, "--input", test, "--out",
                                  (texts.work / "o").string()}),
                3, {"test.tsv"});
  check_refused(run("asap-eval", {"bundle", "--run", (texts.work / "run").string()}), 2,
                {"--out model.safetensors"});
  const std::string config = (texts.work / "run/config.json").string();
  for (const std::string& file : {test, config}) {
    const std::string content = read_file(file);
    for (const bool overwrite : {false, true}) {
      std::vector<std::string> words{"bundle", "--run", (texts.work / "run").string(), "--out",
                                     file};
      if (overwrite) words.push_back("--overwrite");
      check_refused(run("asap-eval", words), 2, {"no bundle", "another name"});
      CHECK(read_file(file) == content);
    }
  }
  CHECK(texts.bundle().code == 0);  // the same bytes again
  CHECK_FALSE(fs::exists(texts.work / "o"));
}
