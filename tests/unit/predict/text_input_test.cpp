#include "predict/text_input.h"

#include <doctest/doctest.h>

#include "base/files.h"
#include "support/expect_error.h"
#include "support/small_run.h"
#include "support/temporary_folder.h"

using namespace asap::base;
using namespace asap::bundle;
using namespace asap::config;
using namespace asap::data;
using namespace asap::predict;
using namespace asap::test;

namespace {

/// A network on texts of the classes "bad" and "good", and a folder for inputs.
struct TextModel {
  TemporaryFolder folder;
  TrainedModel model;

  explicit TextModel(const TextConfig& text = {})
      : model((write_text_run(folder / "run", folder / "data", text),
               load_run(folder / "run", ""))) {}

  Examples read(const std::string& name, const std::string& content, InputConfig config = {}) {
    Faults faults;
    return read(name, content, config, faults);
  }
  Examples read(const std::string& name, const std::string& content, const InputConfig& config,
                Faults& faults) {
    write_file_atomically(folder / name, content);
    const auto reader = open_input(folder / name, model, config);
    Examples examples = no_examples(model);
    while (reader->read(2, examples, faults)) {
    }
    total = reader->total();
    has_labels = reader->has_labels();
    return examples;
  }
  /// The ids of a text, as the tokenizer of the run gives them.
  std::vector<std::int32_t> ids(const std::string& text) const {
    return model.codec->tokenizer->encode(text);
  }
  static std::vector<std::int32_t> ids(const Examples& examples, std::int64_t index) {
    const auto& offsets = examples.dataset.offsets;
    const auto at = static_cast<std::size_t>(index);
    return {examples.dataset.ids.begin() + offsets[at],
            examples.dataset.ids.begin() + offsets[at + 1]};
  }

  std::int64_t total = 0;
  bool has_labels = false;
};

using Labels = std::vector<std::int32_t>;
using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a file without known ending holds one text a line") {
  TextModel texts;
  const Examples read = texts.read("texts.txt", "kind film\nbad, \"cold\" plot\r\nwarm");
  REQUIRE(read.size() == 3);
  CHECK(read.ids == Names{"1", "2", "3"});
  CHECK(texts.ids(read, 1) == texts.ids("bad, \"cold\" plot"));
  CHECK(read.labels == Labels(3, kNotScored));
  CHECK_FALSE(texts.has_labels);
  CHECK(texts.total == 3);
}

TEST_CASE("CSV and TSV have the columns of the training, a header or one column of texts") {
  TextModel texts;
  const std::vector<std::int32_t> film = texts.ids("kind film");
  const Examples trained = texts.read("a.tsv", "good\tkind film\nbad\tcold plot\n");
  CHECK(trained.labels == Labels{1, 0});
  CHECK(texts.ids(trained, 0) == film);
  CHECK(texts.has_labels);
  const Examples bare = texts.read("b.csv", "kind film\n\"cold, cold\nplot\"\n");
  CHECK(bare.labels == Labels(2, kNotScored));
  CHECK(bare.ids == Names{"1", "2"});
  CHECK(texts.ids(bare, 1) == texts.ids("cold, cold\nplot"));
  const Examples named = texts.read("c.csv", "id,text,label\nx,kind film,good\ny,cold plot,\n");
  CHECK(named.ids == Names{"x", "y"});
  CHECK(named.labels == Labels{1, kNotScored});
  CHECK(texts.total == 2);
  CHECK(texts.ids(named, 0) == film);
  const Examples chosen =
      texts.read("d.csv", "when,comment\n2020,kind film\n", {.text_columns = {"comment"}});
  CHECK(texts.ids(chosen, 0) == film);
  const Examples unlabelled = texts.read("e.csv", "kind,film\n", {.label_column = "none"});
  CHECK(texts.ids(unlabelled, 0) == film);
}

TEST_CASE("JSON lines have the keys of the training, or text, label and id") {
  TextModel texts;
  const Examples read = texts.read(
      "a.jsonl", "{\"text\":\"kind film\",\"label\":\"good\"}\n\n{\"text\":\"cold\",\"id\":7}\n");
  CHECK(read.ids == Names{"1", "3"});
  CHECK(read.labels == Labels{1, kNotScored});
  const Examples other = texts.read("b.jsonl", "{\"review\":\"kind film\",\"id\":\"q\"}\n");
  CHECK(texts.ids(other, 0) == texts.ids("kind film"));
  CHECK(other.ids == Names{"q"});
}

TEST_CASE("texts are cut to the length of the training") {
  TextConfig config;
  config.max_tokens = 3;
  config.truncation = Truncation::tail;
  TextModel texts(config);
  const Examples read = texts.read("a.txt", "kind film actor scene plot\n");
  CHECK(texts.ids(read, 0) == texts.ids("actor scene plot"));
}

TEST_CASE("pairs are two columns, two keys, or two texts with a tab between them") {
  TextModel texts;
  texts.model.config.data.text.pairs = true;
  const std::vector<std::int32_t> pair = texts.ids("kind film [SEP] cold plot");
  const auto first = [&](const std::string& name, const std::string& content) {
    return texts.ids(texts.read(name, content), 0);
  };
  CHECK(first("a.txt", "kind film\tcold plot\n") == pair);
  CHECK(first("a.txt", "kind film [SEP] cold plot\n") == pair);
  CHECK(first("a.tsv", "good\tkind film\tcold plot\n") == pair);
  CHECK(first("a.jsonl", "{\"a\":\"kind film\",\"b\":\"cold plot\",\"label\":\"bad\"}\n") == pair);
  const auto refused = [&](const std::string& name, const std::string& content,
                           std::initializer_list<const char*> parts) {
    expect_error<DataError>([&] { texts.read(name, content); }, parts);
  };
  refused("a.txt", "kind\tfilm\nkind film\n", {"a.txt:2", "two texts", "found 1"});
  refused("a.txt", "good\tkind film\tcold plot\n", {"a.txt:1", "found 3", "`format` tsv"});
  refused("a.txt", "kind\tfilm [SEP] plot\n", {"a.txt:1", "[SEP]"});
  refused("a.tsv", "good\tkind film\n", {"a.tsv:1", "two columns", "found 1"});
  refused("a.jsonl", "{\"text\":\"kind\"}\n", {"a.jsonl:1", "two columns", "found 1"});
}

TEST_CASE("hints name options of the command that reads the file, not keys of the training") {
  TextModel texts;
  expect_error<DataError>([&] { texts.read("a.csv", "kind \"film\"\n"); },
                          {"a.csv:1: a quote inside", "double each quote"});
  try {
    texts.read("a.csv", "kind \"film\"\n");
  } catch (const DataError& error) {
    CHECK(std::string(error.hint()).find("data.text") == std::string::npos);
  }
  texts.model.config.data.text.label_column = "kind";
  expect_error<DataError>([&] { texts.read("b.csv", "when,what\n2020,kind film\n"); },
                          {"'kind'", "`label_column` none"});
}

TEST_CASE("the first mistake is an error that names file and line") {
  TextModel texts;
  const auto refused = [&](const std::string& name, const std::string& content,
                           std::initializer_list<const char*> parts, InputConfig config = {}) {
    expect_error<DataError>([&] { texts.read(name, content, config); }, parts);
  };
  refused("a.txt", "kind\n\nwarm\n", {"a.txt:2", "empty", "`keep_going`"});
  refused("a.txt", "good\tkind film\n", {"a.txt:1", "label", "`format` tsv"});
  refused("a.tsv", "good\tkind\nfine\twarm\n", {"a.tsv:2", "'fine'", "`label_column` none"});
  refused("a.csv", "good,kind\ngood,kind,warm\n", {"a.csv:2", "expected 2 columns", "found 3"});
  refused("a.csv", "good,kind\ngood,\"a\"b\n", {"a.csv:2", "quoted"});
  refused("a.csv", "when,what\nx,y\n", {"a.csv:1", "`text_columns`", "when, what"},
          {.header = true});
  refused("a.csv", "x,y\n", {"there is no column 'nope'"}, {.text_columns = {"nope"}});
  refused("a.jsonl", "{\"text\":\"kind\"}\n[1]\n", {"a.jsonl:2", "object"});
  refused("a.jsonl", "{\"text\":\"kind\"}\n{\"other\":\"kind\"}\n", {"a.jsonl:2", "'text'"});
  refused("a.jsonl", "{\"text\":[1]}\n", {"a.jsonl:1", "array"});
  refused("empty.csv", "", {"holds no texts"});
  refused("a.txt", "kind\xff\n", {"a.txt"});
  expect_error<DataError>([&] { open_input(texts.folder / "nothing", texts.model, {}); },
                          {"`input`", "nothing"});
  expect_error<UsageError>([&] { open_input(texts.folder.path(), texts.model, {}); },
                           {"is a folder"});
}

TEST_CASE("where faults are counted, the other lines are read") {
  TextModel texts;
  Names messages;
  std::vector<std::int64_t> lines;
  Faults faults([&](const DataError& error, std::int64_t line) {
    messages.push_back(error.what());
    lines.push_back(line);
  });
  const Examples read =
      texts.read("a.csv", "good,kind\nbad,a,b\nugly,warm\nbad,\nbad,cold\n", {}, faults);
  CHECK(read.ids == Names{"1", "5"});
  CHECK(faults.count() == 3);
  CHECK(lines == std::vector<std::int64_t>{2, 3, 4});
  CHECK(texts.total == 5);
}

TEST_CASE("a column of the text that is named twice is refused") {
  TextModel texts;
  const std::string table = "label,title,comment\ngood,a,kind film\n";
  for (const char* twice : {"comment", "3"})
    expect_error<DataError>(
        [&] {
          texts.read("a.csv", table, {.text_columns = {"comment", twice}});
        },
        {"a.csv:1: `text_columns` names one column twice", twice});
  expect_error<DataError>(
      [&] {
        texts.read("a.jsonl", "{\"q\": \"kind\"}\n", {.text_columns = {"q", "q"}});
      },
      {"a.jsonl:1: `text_columns` names one column twice, 'q'"});
}
