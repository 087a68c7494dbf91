#include <cstdlib>

#include <doctest/doctest.h>

#include "data/load/load_dataset.h"
#include "unit/data/texts/text_set_files.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::data;
using namespace asap::text;
using namespace asap::test;

TEST_CASE("texts become the ids of the training part's vocabulary, labels its classes") {
  TextFiles files;
  files.write("train.tsv", kTrain);
  files.write("test.tsv", kTest);
  const Dataset train = files.load(), test = files.load(Split::test);
  CHECK(train.kind == ExampleKind::tokens);
  CHECK(train.size() == 3);
  CHECK(train.vocabulary == 4);
  CHECK(train.class_names == Names{"x", "y"});
  CHECK(train.labels == Ids{0, 1, 0});
  CHECK(files.ids(train, 0) == Ids{1, 1, 1, 2});
  CHECK(files.ids(train, 2) == Ids{3});
  CHECK(files.ids(test, 0) == Ids{2, kUnknownToken});
  CHECK(test.labels == Ids{1, 0});
  CHECK(test.vocabulary == train.vocabulary);
  CHECK(test.max_tokens == 128);
  CHECK(train.fingerprint == files.load().fingerprint);
  CHECK(train.fingerprint != test.fingerprint);
}

TEST_CASE("a codec keeps ids and classes when the training part is gone") {
  TextFiles files;
  files.write("train.tsv", kTrain);
  files.write("test.tsv", kTest);
  const Dataset test = files.load(Split::test);
  write_text_codec(*files.load().codec, files.folder / "run" / "text");
  std::filesystem::remove(files.folder / "train.tsv");
  files.config.text.lowercase = false;  // what the training did counts
  const Dataset again =
      load_dataset_for(RunFolder(files.folder / "run"), files.config, Split::test);
  CHECK(again.fingerprint == test.fingerprint);
  CHECK(again.class_names == test.class_names);
}

TEST_CASE("longer texts are cut") {
  TextFiles files;
  files.write("train.tsv", "x\ta a b b c d\ny\ta b c\nx\ta\n");
  files.config.text.max_tokens = 4;
  files.config.text.truncation = Truncation::head_tail;
  CHECK(files.ids(files.load(), 0) == Ids{1, 1, 3, 4});
  files.config.text.truncation = Truncation::tail;
  CHECK(files.ids(files.load(), 0) == Ids{2, 2, 3, 4});
  CHECK(files.ids(files.load(), 1) == Ids{1, 2, 3});
}

TEST_CASE("the first examples of each part are kept, and the vocabulary is theirs") {
  TextFiles files;
  files.write("train.tsv", kTrain);
  files.write("test.tsv", kTest);
  files.config.train_examples = 2;
  files.config.test_examples = 1;
  CHECK(files.load().size() == 2);
  CHECK(files.load().vocabulary == 3);
  CHECK(files.load(Split::test).size() == 1);
}

TEST_CASE("sets of texts are read where ASAP_DATA_DIR holds them") {
  const char* folder = std::getenv("ASAP_DATA_DIR");
  if (!folder || !std::filesystem::is_directory(std::filesystem::path(folder) / "text")) {
    MESSAGE("skipped: ASAP_DATA_DIR has no folder text");
    return;
  }
  struct Expected {
    const char* name;
    std::int64_t train, test;
    const char* second_class;
  };
  for (const Expected& expected :
       {Expected{"agnews", 11767, 7600, "Sports"}, Expected{"dbpedia14", 5000, 5000, "Company"},
        Expected{"tweeteval_emotion", 3257, 1421, "joy"}}) {
    CAPTURE(expected.name);
    DataConfig config;
    config.kind = DataKind::text;
    config.name = expected.name;
    const Dataset train = load_dataset(config, Split::train);
    const Dataset test = load_dataset(config, Split::test, train.codec);
    CHECK(train.size() == expected.train);
    CHECK(test.size() == expected.test);
    CHECK(train.class_names.at(1) == expected.second_class);
    CHECK(train.vocabulary > 3000);
  }
}

TEST_CASE("labels that hardly ever repeat raise a doubt") {
  TextFiles files;
  std::string rows = ",label,text\n", labels = "label,text\n";
  for (int i = 0; i < 6; ++i) {
    const std::string row = (i % 2 == 0 ? "x" : "y") + std::string(",a\n");
    rows += std::to_string(i) + "," + row;
    labels += row;
  }
  files.write("train.csv", rows);
  files.config.text.header = asap::config::Answer::yes;
  CHECK(asap::data::doubt_about_labels(files.load()) ==
        "6 of 6 texts are the only ones of their class; is data.text.label_column right? (column "
        "'label' has 2 values)");
  files.config.text.label_column = "label";
  CHECK(asap::data::doubt_about_labels(files.load()).empty());
  files.config.text.label_column = "1";
  files.write("train.csv", labels + "z,a\n");
  CHECK(asap::data::doubt_about_labels(files.load()).empty());
  files.write("train.csv", "label,text\n1,a\n2,a\n3,a\n4,a\n1,b\n");
  CHECK(asap::data::doubt_about_labels(files.load()).starts_with("3 of 5 texts"));
}

TEST_CASE("pairs are two columns around the separator of a pretrained tokenizer") {
  TextFiles files;
  files.config.text.pairs = true;
  auto codec = std::make_shared<TextCodec>();
  codec->config.tokenizer = TokenizerKind::wordpiece;
  codec->tokenizer =
      parse_tokenizer(codec->config, "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\nc\n", "vocab.txt");
  const auto load = [&] { return load_dataset(files.config, Split::train, codec); };
  files.write("train.tsv", "x\ta a\tb\ny\tc\ta\nx\t\tb\n");
  Dataset train = load();
  CHECK(files.ids(train, 0) == Ids{2, 4, 4, 3, 5, 3});
  CHECK(files.ids(train, 2) == Ids{2, 3, 5, 3});
  files.config.text.text_columns = {"3", "2"};
  train = load();
  CHECK(files.ids(train, 0) == Ids{2, 5, 3, 4, 4, 3});
  files.config.text.text_columns = {"2"};
  expect_error<DataError>(load, {"train.tsv", "two columns", "found 1"});
  files.config.text.text_columns = {};
  files.write("train.tsv", "x\ta\tb [SEP] c\ny\tc\ta\n");
  expect_error<DataError>(load, {"train.tsv:1", "[SEP]"});
  std::filesystem::remove(files.folder / "train.tsv");
  files.write(
      "train.jsonl",
      "{\"one\":\"a\",\"two\":\"b\",\"label\":1}\n{\"one\":\"c\",\"two\":\"a\",\"label\":0}\n");
  CHECK(files.ids(load(), 0) == Ids{2, 4, 3, 5, 3});
  files.config.text.text_columns = {"one"};
  expect_error<DataError>(load, {"train.jsonl", "two columns", "found 1"});
  codec = nullptr;
  files.config.text.text_columns = {};
  expect_error<UsageError>(load, {"data.text.pairs", "separator", "--init-from"});
  std::filesystem::remove(files.folder / "train.jsonl");
  files.write("train/x/1.txt", "a");
  files.write("train/y/1.txt", "b");
  expect_error<DataError>(load, {"data.text.pairs", "found 1"});
}
