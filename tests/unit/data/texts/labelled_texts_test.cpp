#include "data/texts/labelled_texts.h"

#include <algorithm>
#include <set>

#include <doctest/doctest.h>

#include "unit/data/texts/text_set_files.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::data;
using namespace asap::test;

namespace {

/// 60 texts of which every third is the one before, with or without blanks around it.
LabelledTexts with_duplicates() {
  LabelledTexts out;
  out.source = "t.csv";
  for (int i = 0; i < 60; ++i) {
    out.labels.push_back(i % 2 == 0 ? "x" : "y");
    out.texts.push_back(i % 3 == 2 ? " " + out.texts.back() + "\n" : "text " + std::to_string(i));
    out.lines.push_back(i + 1);
  }
  return out;
}

std::set<std::int64_t> lines_of(LabelledTexts texts, Split split, double fraction,
                                std::uint64_t seed) {
  texts.keep_part(split, fraction, seed);
  return {texts.lines.begin(), texts.lines.end()};
}

}  // namespace

TEST_CASE("a test part is drawn by a hash of the text: duplicates on one side") {
  const LabelledTexts all = with_duplicates();
  const auto train = lines_of(all, Split::train, 0.25, 1),
             test = lines_of(all, Split::test, 0.25, 1);
  CHECK(train.size() + test.size() == 60);
  CHECK(lines_of(all, Split::test, 0.25, 1) == test);
  CHECK(lines_of(all, Split::test, 0.25, 2) != test);
  for (std::int64_t line = 2; line < 60; line += 3)
    CHECK(test.contains(line) == test.contains(line + 1));
  LabelledTexts part = all;
  part.keep_part(Split::test, 0.25, 1);
  std::set<std::string> different;
  for (const std::string& text : part.texts) different.insert(text.substr(text.find('t')));
  CHECK(std::ranges::count_if(different, [](const auto& t) { return !t.ends_with('\n'); }) == 10);
}

TEST_CASE("which texts are tested on does not depend on their order") {
  LabelledTexts all = with_duplicates(), turned = all;
  std::ranges::reverse(turned.labels);
  std::ranges::reverse(turned.texts);
  std::ranges::reverse(turned.lines);
  CHECK(lines_of(all, Split::test, 0.3, 5) == lines_of(turned, Split::test, 0.3, 5));
}

TEST_CASE("every class keeps a text for training") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    LabelledTexts texts = with_duplicates();
    texts.labels[0] = "rare";
    texts.keep_part(Split::train, 0.5, seed);
    CHECK(std::ranges::count(texts.labels, "rare") == 1);
  }
  LabelledTexts few;
  few.source = "t.csv";
  few.labels = {"x", "y"};
  few.texts = {"a", "b"};
  few.lines = {1, 2};
  expect_error<DataError>([&] { few.keep_part(Split::test, 0.5, 1); },
                          {"t.csv", "too few texts", "there are 2"});
  few.texts = {"a", "a"};
  few.labels = {"x", "x"};
  expect_error<DataError>([&] { few.keep_part(Split::test, 0.5, 1); }, {"too few texts"});
}

TEST_CASE("every form of texts is split, the same way each time") {
  TextFiles files;
  files.config.test_fraction = 0.5;
  std::string csv = "label,text\n", tsv, json;
  for (const char* text : {"a", "b", "c", "d", "e", "f", "g", "h"}) {
    const std::string label = text[0] % 2 == 0 ? "x" : "y";
    csv += label + "," + text + "\n";
    tsv += label + "\t" + text + "\n";
    json += "{\"label\": \"" + label + "\", \"text\": \"" + text + "\"}\n";
    files.write("folders/train/" + label + "/" + text + ".txt", text);
  }
  files.write("csv/train.csv", csv);
  files.write("tsv/train.tsv", tsv);
  files.write("json/train.jsonl", json);
  const std::string folder = files.config.path;
  const auto load_from = [&](const std::string& name, Split split) {
    files.config.path = folder + "/" + name;
    return files.load(split);
  };
  const Dataset train = load_from("csv", Split::train), test = load_from("csv", Split::test);
  CHECK(train.size() == 4);
  CHECK(test.size() == 4);
  for (const char* name : {"tsv", "json"}) {
    CHECK(load_from(name, Split::train).fingerprint == train.fingerprint);
    CHECK(load_from(name, Split::test).fingerprint == test.fingerprint);
  }
  CHECK(load_from("folders", Split::train).size() == 4);
  CHECK(load_from("folders", Split::test).size() == 4);
  files.config.split_seed = 2;
  CHECK(load_from("csv", Split::test).fingerprint != test.fingerprint);
  files.config.kind = DataKind::majority;
  expect_error<UsageError>([&] { files.load(); }, {"data.test_fraction", "data.kind=text"});
}

TEST_CASE("the column that looks like labels repeats its few values, or is called so") {
  std::vector<ColumnValues> columns;
  const auto column = [&](const char* name, int different) {
    columns.emplace_back(name);
    for (int i = 0; i < 12; ++i) columns.back().add(std::to_string(i % different));
  };
  column("id", 12);
  column("set", 1);
  CHECK(likely_label_of(columns).empty());
  column("stars", 3);
  CHECK(likely_label_of(columns) == "column 'stars' has 3 values");
  column("3", 2);
  CHECK(likely_label_of(columns) == "column 3 has 2 values");
  column("Label", 6);
  CHECK(likely_label_of(columns) == "column 'Label' has 6 values");
  CHECK(describe_columns("0", {"1"}) == "label column 0, text column 1");
  CHECK(describe_columns("stars", {"title", "2"}) ==
        "label column 'stars', text columns 'title', 2");
}

TEST_CASE("text columns are joined by a blank, those of a pair by the separator") {
  TextConfig config;
  const std::vector<std::string> columns = {"a b", "", "c"}, pair = {"a [CLS]", "b"};
  CHECK(join_columns(config, columns, "t:1") == "a b  c");
  CHECK_NOTHROW(require_pair(config, 3, "t"));
  config.pairs = true;
  CHECK(join_columns(config, pair, "t:1") == "a [CLS] [SEP] b");
  CHECK_NOTHROW(require_pair(config, 2, "t"));
  expect_error<DataError>([&] { require_pair(config, 3, "t"); },
                          {"t: data.text.pairs needs two", "found 3", "text_columns"});
  const std::vector<std::string> twice = {"a", "b [SEP] c"};
  expect_error<DataError>([&] { join_columns(config, twice, "t:7"); }, {"t:7", "[SEP]"});
  config.pairs = false;
  CHECK(join_columns(config, twice, "t:7") == "a b [SEP] c");
}
