// Texts from files, from the command line: the whole way, and everything that can be wrong with
// them.
#include <doctest/doctest.h>

#include "cli/process.h"
#include "support/text_folder.h"

using namespace asap::base;
using namespace asap::io;
using namespace asap::test;
namespace fs = std::filesystem;

namespace {

/// Training of a tiny network on the texts of a folder.
Words text_training(const fs::path& data) {
  Words words;
  for (const char* assignment :
       {"data.kind=text", "model.kind=text", "data.text.min_count=1", "data.text.max_tokens=16",
        "data.text.truncation=head_tail", "model.width=16", "model.heads=2", "model.layers=2",
        "model.attention.iterations=4", "train.batch=16", "train.epochs=6",
        "train.learning_rate=0.01", "train.checkpoint_every=10", "train.length_pool=4"})
    words = words + Words{"--set", assignment};
  return words + Words{"--set", "data.path=" + data.string()};
}

Outcome train_text(const fs::path& data, const fs::path& folder, const Words& more = {}) {
  return run("asap-train", text_training(data) + Words{"--out", folder.string()} + more);
}

}  // namespace

TEST_CASE("texts are trained on, compiled and compared with the ids of the training") {
  const Workspace work;
  write_text_folder(work / "data");
  REQUIRE(train_text(work / "data", work / "run").code == 0);
  CHECK(read_json(work / "run" / "summary.json")["test"]["accuracy"] > 0.9);
  CHECK(fs::exists(work / "run" / "text" / "vocabulary.txt"));
  CHECK(fs::exists(work / "run" / "text" / "codec.json"));
  REQUIRE(compile(work / "run", work / "operator").code == 0);

  // Comparing needs the vocabulary of the run, not the training part.
  fs::remove(work / "data" / "train.tsv");
  const Outcome compared =
      run("asap-eval",
          {"compare", "--run", (work / "run").string(), "--compiled", (work / "operator").string(),
           "--out", (work / "compare").string(), "--methods", "teacher,f0,compiled"});
  REQUIRE(compared.code == 0);
  const Json methods = read_json(work / "compare" / "summary.json")["methods"];
  CHECK(methods[0]["accuracy"] > 0.9);
  CHECK(methods[2]["agreement"] > 0.95);

  fs::remove_all(work / "run" / "text");
  check_refusal(run("asap-eval", {"compare", "--run", (work / "run").string(), "--out",
                                  (work / "other").string()}),
                3, {"codec.json"});
}

TEST_CASE("a run says where its data were when another environment has others or none") {
  const Workspace work;
  write_text_folder(work / "here" / "notes", 48);
  write_text_folder(work / "there" / "notes", 64);
  const auto with_data_in = [](const fs::path& folder) {
    ::setenv("ASAP_DATA_DIR", folder.c_str(), 1);
  };
  with_data_in(work / "here");
  REQUIRE(train_text("", work / "run", {"--set", "data.name=notes", "--max-steps", "4"}).code == 0);
  const std::string place = fs::canonical(work / "here" / "notes").string();
  CHECK(read_json(work / "run" / "data.json")["test"]["folder"] == place);

  const auto compare = [&](const Words& more = {}) {
    return run("asap-eval", Words{"compare", "--run", (work / "run").string(), "--methods",
                                  "teacher", "--out", (work / "compare").string()} +
                                more);
  };
  with_data_in(work / "nowhere");
  const std::string trained_on = "the run was trained on '" + place + "': --set data.path=" + place;
  check_refusal(compare(), 3, {"was not found", trained_on});
  check_refusal(compile(work / "run", work / "operator"), 3, {"was not found", trained_on});
  with_data_in(work / "there");
  check_refusal(compare(), 3, {"test data in", "are not those of the run", trained_on});
  check_refusal(compile(work / "run", work / "operator"), 3, {"train data in", trained_on});
  CHECK(compare({"--set", "data.path=" + place}).code == 0);
  check_refusal(train_text("", work / "run", {"--set", "data.name=notes", "--resume"}), 3,
                {"the training data are not those", "which were in '" + place + "'"});
  ::unsetenv("ASAP_DATA_DIR");
}

TEST_CASE("a training on texts that was stopped and resumed equals one that was not") {
  for (const char* tokenizer : {"words", "bytes", "sentencepiece"}) {
    CAPTURE(tokenizer);
    const Workspace work;
    write_text_folder(work / "data", 96);
    const Words more{"--set", std::string("data.text.tokenizer=") + tokenizer,
                     "--set", "train.epochs=2",
                     "--set", "data.text.vocabulary_size=40"};
    const Outcome whole = train_text(work / "data", work / "whole", more);
    if (whole.code == 2 && whole.error.find("libsentencepiece-dev") != std::string::npos) continue;
    REQUIRE(whole.code == 0);
    REQUIRE(train_text(work / "data", work / "parts", more + Words{"--max-steps", "7"}).code == 0);
    REQUIRE(train_text(work / "data", work / "parts", more + Words{"--resume", "--threads", "2"})
                .code == 0);
    CHECK(newest_checkpoint(work / "parts") == newest_checkpoint(work / "whole"));
    for (const auto& entry : fs::directory_iterator(work / "whole" / "text"))
      CHECK(read_file(entry.path()) ==
            read_file(work / "parts" / "text" / entry.path().filename()));
  }
}

TEST_CASE("texts that cannot be read are data errors with file and line") {
  const Workspace work;
  const fs::path data = work / "data";
  write_text_folder(data, 32);
  const auto refuse = [&](const std::string& name, const std::string& content,
                          const std::vector<std::string>& parts) {
    const std::string good = fs::exists(data / name) ? read_file(data / name) : "";
    write_file_atomically(data / name, content);
    check_refusal(train_text(data, work / "run"), 3, parts);
    CHECK_FALSE(fs::exists(work / "run"));
    if (good.empty())
      fs::remove(data / name);
    else
      write_file_atomically(data / name, good);
  };
  const std::string train = read_file(data / "train.tsv");
  refuse("train.csv", "good,a\nbad,\"b\n", {"train.csv:2", "does not end"});
  refuse("train.csv", "good,a\nbad,b\"b\n", {"train.csv:2", "quote"});
  refuse("train.tsv", train + "good\ta\tb\n", {"train.tsv:33", "expected 2 columns", "found 3"});
  refuse("train.tsv", train + "good a\n", {"train.tsv:33", "found 1"});
  refuse("train.tsv", train + "good\tcaf\xe9\n", {"train.tsv:33", "0xe9", "UTF-8"});
  refuse("train.tsv", train + "good\t\n", {"train.tsv:33", "empty", "skip_empty"});
  refuse("test.tsv", "good\ta\nmixed\tb\n", {"test.tsv:2", "'mixed'", "bad, good"});
  refuse("classes.txt", "good\nbad\nugly\n", {"'ugly'", "empty"});
}

TEST_CASE("one file of JSON lines is split alike by training, compiling and comparing") {
  const Workspace work;
  fs::create_directories(work / "data");
  std::string lines;
  for (int i = 0; i < 120; ++i)
    lines += std::string("{\"text\": \"") + (i % 2 == 0 ? "warm" : "cold") + " film " +
             std::string(static_cast<std::size_t>(1 + i % 60), 'x') + "\", \"mood\": \"" +
             (i % 2 == 0 ? "good" : "bad") + "\"}\n";
  write_file_atomically(work / "data" / "Train.JSONL", lines);
  // Without a part to test on, the message says how to get one.
  check_refusal(train_text(work / "data", work / "run"), 3,
                {"test part", "tried test.csv", "data.test_fraction=0.2"});
  const Words split{"--set", "data.test_fraction=0.25"};
  const Outcome trained = train_text(work / "data", work / "run", split);
  REQUIRE(trained.code == 0);
  CHECK(trained.error.find("90 training, 30 test texts") != std::string::npos);
  CHECK(trained.error.find("classes     2: bad, good (label column 'mood', text column 'text')") !=
        std::string::npos);
  CHECK(trained.error.find("warning") == std::string::npos);
  const Json summary = read_json(work / "run" / "summary.json");
  CHECK(summary["test"]["accuracy"] > 0.9);
  // Too many examples for the training part.
  check_refusal(compile(work / "run", work / "more"), 3, {"90 examples"});
  REQUIRE(compile(work / "run", work / "operator", {"--set", "held_out=16"}).code == 0);
  const Outcome compared = run("asap-eval", {"compare", "--run", (work / "run").string(),
                                             "--compiled", (work / "operator").string(), "--out",
                                             (work / "compare").string(), "--methods", "teacher"});
  REQUIRE(compared.code == 0);
  CHECK(compared.error.find("(test part): 30 test texts") != std::string::npos);
  CHECK(read_json(work / "compare" / "summary.json")["methods"][0]["accuracy"] ==
        summary["test"]["accuracy"]);
}

TEST_CASE("labels and quotes that were read wrongly are told by the run's header") {
  const Workspace work;
  const fs::path data = work / "data";
  fs::create_directories(data);
  const auto write_both = [&](const std::string& ending, const std::string& header, auto row) {
    for (const std::string part : {"train", "test"}) {
      std::string rows = header;
      for (int i = 0; i < 12; ++i) rows += row(i + (part == "test" ? 1 : 0));
      write_file_atomically(data / (part + ending), rows);
    }
  };
  const auto says = [&](const std::string& part, const Words& more = {}) {
    const Outcome outcome = run("asap-train", text_training(data) + Words{"--dry-run"} + more);
    CAPTURE(outcome.error);
    CHECK_MESSAGE(outcome.error.find(part) != std::string::npos, part);
  };
  write_both(".csv", "id,label,text\n", [](int i) {
    return std::to_string(i % 12) + (i % 2 == 0 ? ",x,a film\n" : ",y,a plot\n");
  });
  says("classes     12: 0, 1, 2, 3, 4, ... (label column 'id', text columns 'label', 'text')");
  says(
      "12 of 12 texts are the only ones of their class; is data.text.label_column right? (column "
      "'label' has 2 values)");
  says("classes     2: x, y (label column 'label',", {"--set", "data.text.label_column=label"});
  for (const char* name : {"train.csv", "test.csv"}) fs::remove(data / name);
  write_both(".tsv", "", [](int i) {
    return std::string(i % 2 == 0 ? "\"x\"\t\"a film\"\n" : "\"y\"\t\"a plot\"\n");
  });
  says("warning     12 of 12 rows of ");
  says("classes     2: x, y (label column 1,", {"--set", "data.text.quotes=yes"});
  fs::remove(data / "test.tsv");
  write_file_atomically(data / "train.tsv", read_file(data / "train.tsv") + "\"x\"\t\"b\"\n");
  const std::string header =
      run("asap-train", text_training(data) + Words{"--dry-run", "--set", "data.test_fraction=0.5"})
          .error;
  CHECK(header.find("rows of ") != std::string::npos);
  CHECK(header.find("rows of ") == header.rfind("rows of "));  // of one file, once
}

TEST_CASE("a test part that is the training part, or beside data.test_fraction, is refused") {
  const Workspace work;
  const fs::path data = work / "data";
  write_text_folder(data, 32);
  const Words fraction{"--set", "data.test_fraction=0.2"};
  check_refusal(train_text(data, work / "run", fraction), 3,
                {"data.test_fraction", "test.tsv'", "--set data.test_fraction=0"});
  const Words twice{"--set", "data.text.train_file=train.tsv", "--set",
                    "data.text.test_file=train.tsv"};
  check_refusal(train_text(data, work / "run", twice), 3,
                {"train.tsv'", "are the same", "data.test_fraction=0.2"});
  // The hints work.
  CHECK(train_text(data, work / "one", twice + Words{"--set", "data.text.test_file="} + fraction)
            .code == 0);
  write_file_atomically(data / "test.tsv", read_file(data / "train.tsv"));
  const Outcome copied = train_text(data, work / "copied");
  CHECK(copied.code == 0);
  CHECK(copied.error.find("test.tsv' holds the same texts as '") != std::string::npos);
  fs::remove(data / "test.tsv");
  CHECK(train_text(data, work / "two", fraction).code == 0);
  check_refusal(train(work / "run", fraction), 2, {"data.test_fraction", "data.kind=text"});
  check_refusal(train_text(data, work / "run", {"--set", "data.text.train_file=train.tsv"}), 2,
                {"data.text.test_file", "data.test_fraction=0.2"});
  CHECK_FALSE(fs::exists(work / "run"));
}

TEST_CASE("resuming with another vocabulary or pool, and half of the files, is refused") {
  const Workspace work;
  write_text_folder(work / "data", 64);
  REQUIRE(train_text(work / "data", work / "run", {"--max-steps", "5"}).code == 0);
  const auto before = newest_checkpoint(work / "run");
  check_refusal(
      train_text(work / "data", work / "run", {"--resume", "--set", "data.text.vocabulary_size=5"}),
      2, {"data.text.vocabulary_size", "training data are not those"});
  check_refusal(
      train_text(work / "data", work / "run", {"--resume", "--set", "train.length_pool=2"}), 2,
      {"train.length_pool", "middle of a run"});
  check_refusal(train_text(work / "data", work / "other", {"--set", "data.text.train_file=a.tsv"}),
                2, {"data.text.train_file", "data.text.test_file"});
  CHECK(newest_checkpoint(work / "run") == before);
}

TEST_CASE("a training that starts from another run's weights reads its texts with that run's ids") {
  const Workspace work;
  write_text_folder(work / "data", 64);
  REQUIRE(train_text(work / "data", work / "first", {"--max-steps", "8"}).code == 0);
  // As many words, but others, and other classes.
  fs::create_directories(work / "more");
  for (const char* part : {"train.tsv", "test.tsv"}) {
    std::string lines;
    for (int i = 0; i < 24; ++i)
      lines += i % 3 == 0   ? "old\tan ancient film\n"
               : i % 3 == 1 ? "new\ta warm plot\n"
                            : "none\tit rained\n";
    write_file_atomically(work / "more" / part, lines);
  }
  const Words from{"--init-from", (work / "first").string()};
  REQUIRE(train_text(work / "more", work / "second", from + Words{"--max-steps", "3"}).code == 0);
  const auto vocabulary = [&](const char* name) {
    return read_file(work / name / "text" / "vocabulary.txt");
  };
  CHECK(vocabulary("second") == vocabulary("first"));
  CHECK(read_json(work / "second" / "text" / "codec.json")["labels"] ==
        Json({"new", "none", "old"}));

  // Resumed, it needs the other run no more.
  fs::remove_all(work / "first");
  CHECK(train_text(work / "more", work / "second", from + Words{"--resume"}).code == 0);
  fs::create_directories(work / "first");
  check_refusal(train_text(work / "more", work / "third", from), 3, {"codec.json"});
}
